"""The driver of all MQTT devices: one connection to the local broker, several families of devices on it."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from edge_agent.config import AgentConfig, DeviceSection
from edge_agent.drivers.announced_routes import AnnouncedRoutes
from edge_agent.drivers.mqtt_routes import GenericRoutes, Routes, Zigbee2MqttRoutes, command_of
from edge_agent.drivers.station import stations_of
from edge_agent.errors import LinkError
from edge_agent.mqtt_link import Message, MqttLink, MqttOptions
from edge_agent.ports import DriverContext
from edge_agent.secrets import read_secret
from wire.events import DriverHealth

MAX_WAITING: Final = 2000
_TICK_S: Final = 0.5
_KINDS: Final = ("zigbee2mqtt", "mqtt", "home-assistant")

log = structlog.get_logger()


class MqttDevices:
    """Implements ports.Driver."""

    def __init__(
        self,
        config: AgentConfig,
        sections: Sequence[DeviceSection],
        context: DriverContext,
        tap: Callable[[str, bytes], None] | None = None,
    ) -> None:
        """`tap` hears topic and payload. Raises ConfigError for profiles, addresses and passwords that cannot work."""
        assert config.mqtt is not None
        self._context = context
        self._tap = tap
        self._stations = stations_of(config, sections, context, _KINDS)
        self._families: dict[str, Routes] = {}
        of_kind = {kind: [s for s in self._stations if s.profile.transport.kind == kind] for kind in _KINDS}
        self._zigbee = Zigbee2MqttRoutes(config.mqtt.zigbee2mqtt_topic, of_kind["zigbee2mqtt"])
        if of_kind["zigbee2mqtt"]:
            self._families["zigbee2mqtt"] = self._zigbee
        self._announced = AnnouncedRoutes(
            config.mqtt.discovery_topic, of_kind["home-assistant"], self._subscribe, context.clock.monotonic
        )
        if of_kind["home-assistant"]:
            self._families["home-assistant"] = self._announced
        if of_kind["mqtt"]:
            self._families["mqtt"] = GenericRoutes(of_kind["mqtt"])
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(MAX_WAITING)
        self._dropped = 0
        mqtt = config.mqtt
        password = read_secret(mqtt.password_file, "mqtt.password_file") if mqtt.password_file else None
        options = MqttOptions(
            mqtt.url,
            f"{config.gateway.id}-devices",
            mqtt.username,
            password,
            is_persistent=True,
            confirms_itself=False,
        )
        options.address  # noqa: B018  # a bad URL is an error now, not at the first connection
        self._link = MqttLink(
            options,
            context.clock,
            subscriptions=[topic for family in self._families.values() for topic in family.subscriptions()],
            on_message=self._put,
            on_down=lambda reason: log.warning("mqtt_devices.down", reason=reason),
        )

    @property
    def name(self) -> str:
        """`mqtt`."""
        return "mqtt"

    @property
    def device_ids(self) -> frozenset[str]:
        """The MQTT devices of the configuration."""
        return frozenset(station.id for station in self._stations)

    async def run(self) -> None:
        """Connect, listen, connect again: until cancelled."""
        link = asyncio.create_task(self._link.run())
        taker = asyncio.create_task(self._take_all())
        ticker = asyncio.create_task(self._tick())
        tasks = (link, taker, ticker)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)

    def health(self) -> DriverHealth:
        """Running when the broker and Zigbee2MQTT are there."""
        if not self._link.is_up:
            return DriverHealth(state="backing_off", detail=self._link.detail[:512])
        notes = []
        if "zigbee2mqtt" in self._families and self._zigbee.bridge_fault is not None:
            notes.append(self._zigbee.bridge_fault)
        if self._dropped:
            notes.append(f"{self._dropped} messages came faster than the disk takes them")
        return DriverHealth(state="degraded" if notes else "running", detail="; ".join(notes)[:512])

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """Publish what the device's profile says, and wait for its confirmation where the profile names one."""
        station = next(item for item in self._stations if item.id == device_id)
        spec = command_of(station, command, arguments)
        for message in self._families[station.profile.transport.kind].outgoing(station, spec):
            if not self._link.publish(message.topic, message.payload, qos=1):
                raise LinkError(f"{device_id}: no connection to the local broker: {self._link.detail}")
        if spec.confirm and not await station.confirmed(spec.confirm, spec.timeout_s):
            raise LinkError(f"{device_id}: {command} was sent, but not confirmed within {spec.timeout_s:g} s")

    def _subscribe(self, topic: str) -> None:
        self._link.subscribe(topic)

    def _put(self, message: Message) -> None:
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            # Not confirmed: the broker gives a QoS 1 message again after the next connection.
            self._dropped += 1

    async def _take_all(self) -> None:
        while True:
            message = await self._inbox.get()
            if self._tap is not None:
                self._tap(message.topic, message.payload)
            for family in self._families.values():
                await family.take(message.topic, message.payload, is_retained=message.is_retained)
            self._link.confirm(message)

    async def _tick(self) -> None:
        while True:
            self._context.beat()
            for station in self._stations:
                await station.tick()
            await self._announced.tick()
            await self._context.clock.sleep(_TICK_S)
