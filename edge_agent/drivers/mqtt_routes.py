"""Which MQTT topic speaks of which device. Each family of MQTT devices is one set of routes; none parses another's."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError, ConfigError
from edge_agent.protocols.message import ABSENT, Message
from edge_agent.protocols.zigbee2mqtt import BridgeDevice, devices_of, is_online, without_secrets
from firmware_profiles.transports import CommandSpec, MqttTransport

MAX_JSON_BYTES: Final = 4 * 1024 * 1024
"""bridge/devices grows past 1 MB with a hundred devices."""
MAX_TEXT_CHARS: Final = 65_536


class Outgoing(NamedTuple):
    """A message to a device."""

    topic: str
    payload: bytes


class Routes(Protocol):
    """A family of MQTT devices."""

    def subscriptions(self) -> Sequence[str]:
        """Topic filters to listen to, known at the start."""
        ...

    async def take(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """A message; topics of others are ignored."""
        ...

    def outgoing(self, station: Station, spec: CommandSpec) -> list[Outgoing]:
        """The messages of a command. Raises CommandError."""
        ...


class Zigbee2MqttRoutes:
    """Devices behind one Zigbee2MQTT. They are known by IEEE address or friendly name, which may contain `/`."""

    def __init__(self, base: str, stations: Sequence[Station]) -> None:
        self._base = base
        self._stations = {str(station.section.address or station.id): station for station in stations}
        self._names: dict[str, Station] = dict(self._stations)
        self.known: list[BridgeDevice] = []
        self.bridge_fault: str | None = "zigbee2mqtt has not been heard yet"

    def subscriptions(self) -> Sequence[str]:
        """Everything below the base topic: names with `/` cannot be told by a filter."""
        return [f"{self._base}/#"]

    async def take(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """State, availability, or word of the bridge."""
        if not topic.startswith(f"{self._base}/"):
            return
        rest = topic.removeprefix(f"{self._base}/")
        if rest.startswith("bridge/"):
            await self._take_bridge(rest, payload)
        elif rest in self._names:
            body = parse_json(payload)
            if isinstance(body, dict):
                await self._names[rest].say(Message(json=without_secrets(body), topic=topic, is_old=is_retained))
        elif rest.endswith("/availability") and rest.removesuffix("/availability") in self._names:
            online = is_online(payload)
            if online is not None:
                reason = None if online else "zigbee2mqtt cannot reach it"
                await self._names[rest.removesuffix("/availability")].link(is_online=online, reason=reason)

    async def _take_bridge(self, rest: str, payload: bytes) -> None:
        if rest == "bridge/state":
            online = is_online(payload)
            self.bridge_fault = None if online else "zigbee2mqtt is offline"
            if online is False:
                for station in self._stations.values():
                    await station.link(is_online=False, reason=self.bridge_fault)
        elif rest == "bridge/devices":
            self.known = devices_of(parse_json(payload))
            self._names = dict(self._stations)
            for device in self.known:
                known = self._stations.get(device.ieee) or self._stations.get(device.friendly_name)
                if known is not None:
                    self._names[device.friendly_name] = known
                    await known.runs(device.firmware)

    def outgoing(self, station: Station, spec: CommandSpec) -> list[Outgoing]:
        """To the device's `set` topic, under the name that it has now."""
        name = next((name for name, item in reversed(self._names.items()) if item is station), station.id)
        return [Outgoing(f"{self._base}/{name}/set", _body(message)) for message in spec.publish or []]


class GenericRoutes:
    """Devices whose profile names its topics."""

    def __init__(self, stations: Sequence[Station]) -> None:
        """Raises ConfigError for an address that would listen to more than its device."""
        self._topics: dict[str, list[tuple[Station, str]]] = {}
        self._filters: list[tuple[list[str], Station, str]] = []
        for station in stations:
            transport = _transport(station)
            address = str(station.section.address or station.id)
            if not address or set(address) & set("+#\0"):
                raise ConfigError(f"device {station.id}: address {address!r}: + and # have no place in it")
            for name, topic in transport.topics.items():
                self._add(topic.replace("{address}", address), station, name)
            if transport.online_topic is not None:
                self._add(transport.online_topic.replace("{address}", address), station, "")

    def _add(self, topic: str, station: Station, name: str) -> None:
        if "+" in topic or "#" in topic:
            self._filters.append((topic.split("/"), station, name))
        else:
            self._topics.setdefault(topic, []).append((station, name))

    def subscriptions(self) -> Sequence[str]:
        """The topics of the profiles."""
        return [*self._topics, *("/".join(levels) for levels, _, _ in self._filters)]

    async def take(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Hand the message to the devices that it is of."""
        levels = topic.split("/")
        found = list(self._topics.get(topic, []))
        found += [(station, name) for pattern, station, name in self._filters if _fits(pattern, levels)]
        for station, name in found:
            transport = _transport(station)
            if name:
                await station.say(message_of(transport, payload, topic, name, is_old=is_retained))
                continue
            online = payload.decode("utf-8", errors="replace").strip() in transport.online_payloads
            await station.link(is_online=online, reason=None if online else "its own word: offline")

    def outgoing(self, station: Station, spec: CommandSpec) -> list[Outgoing]:
        """To the topics that the command names."""
        address = str(station.section.address or station.id)
        return [
            Outgoing(str(message.topic).replace("{address}", address), _body(message)) for message in spec.publish or []
        ]


def message_of(transport: MqttTransport, payload: bytes, topic: str, name: str, *, is_old: bool = False) -> Message:
    """A payload in the form that the profile says; what should be JSON and is not is text."""
    if transport.payload == "bytes":
        return Message(data=payload, topic=topic, channel=name, is_old=is_old)
    body = parse_json(payload) if transport.payload == "json" else ABSENT
    # A field with `text: true` reads a topic's text even where it happens to be JSON, as `1` is.
    text = payload.decode("utf-8", errors="replace").strip()[:MAX_TEXT_CHARS]
    return Message(json=body, text=text, topic=topic, channel=name, is_old=is_old)


def parse_json(payload: bytes) -> Any:
    """The JSON in a payload; ABSENT when there is none."""
    if len(payload) > MAX_JSON_BYTES:
        return ABSENT
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return ABSENT


def _transport(station: Station) -> MqttTransport:
    transport = station.profile.transport
    assert isinstance(transport, MqttTransport)
    return transport


def _fits(pattern: Sequence[str], levels: Sequence[str]) -> bool:
    for index, part in enumerate(pattern):
        if part == "#":
            return True
        if index >= len(levels) or part not in ("+", levels[index]):
            return False
    return len(pattern) == len(levels)


def _body(message: Any) -> bytes:
    if message.json_body is not None:
        return json.dumps(message.json_body).encode()
    return bytes.fromhex(message.hex) if message.hex is not None else str(message.text).encode()


def command_of(station: Station, command: str, arguments: Mapping[str, Any]) -> CommandSpec:
    """What a profile says of a command. Raises CommandError."""
    del arguments  # the language has no placeholders; a command means what its profile says
    spec = station.profile.commands.get(command)  # type: ignore[call-overload]  # any word may be asked
    if spec is None:
        known = ", ".join(sorted(station.profile.commands)) or "none"
        raise CommandError(f"{station.id}: its profile has no command {command!r}; it has: {known}")
    return spec  # type: ignore[no-any-return]  # the key's type is lost above
