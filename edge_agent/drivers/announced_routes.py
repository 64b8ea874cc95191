"""Devices that announce themselves by Home Assistant's MQTT discovery: no profile of their own is needed.

Whoever may publish on the discovery topic can announce devices. Only those that the configuration names count.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from edge_agent.drivers.mqtt_routes import Outgoing, parse_json
from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError
from edge_agent.protocols.ha_discovery import Availability, Entity, entities_of
from edge_agent.protocols.ha_template import TemplateFault
from edge_agent.protocols.message import ABSENT, Message
from firmware_profiles.transports import CommandSpec

MAX_ENTITIES: Final = 2000

log = structlog.get_logger()


class AnnouncedRoutes:
    """Implements Routes. `subscribe` is called for the state topics of configured devices."""

    def __init__(self, prefix: str, stations: Sequence[Station], subscribe: Callable[[str], None]) -> None:
        self._prefix = prefix
        self._stations = {str(station.section.address or station.id): station for station in stations}
        self._subscribe = subscribe
        self._entities: dict[str, Entity] = {}
        self._there: dict[tuple[str, str], bool] = {}
        """(entity, availability topic) -> its word."""

    @property
    def known(self) -> list[Entity]:
        """Everything that was announced and means something to us, configured or not."""
        return list(self._entities.values())

    def subscriptions(self) -> Sequence[str]:
        """Where devices announce themselves."""
        return [f"{self._prefix}/+/+/config", f"{self._prefix}/+/+/+/config"]

    async def take(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """An announcement, a state, or word of availability."""
        if topic.startswith(f"{self._prefix}/") and topic.endswith("/config"):
            self._announce(topic, payload)
            return
        text = payload.decode("utf-8", errors="replace")
        body = parse_json(payload)
        for entity in list(self._entities.values()):
            station = self._station_of(entity)
            if station is None:
                continue
            for source in entity.availability:
                if source.topic == topic:
                    await self._available(entity, source, text, body, station)
            if entity.state_topic == topic:
                await self._state(entity, station, text, body, is_old=is_retained)

    def outgoing(self, station: Station, spec: CommandSpec) -> list[Outgoing]:
        """What a device announces has no commands of ours."""
        raise CommandError(f"{station.id}: a device known by its announcement takes no commands; give it a profile")

    def _announce(self, topic: str, payload: bytes) -> None:
        for key in [key for key in self._entities if key == topic or key.startswith(f"{topic}#")]:
            del self._entities[key]
        body = parse_json(payload) if payload else ABSENT
        if body is ABSENT:
            return
        entities, faults = entities_of(topic, body, self._prefix)
        for fault in faults:
            log.warning("discovery.refused", reason=fault)
        for entity in entities:
            if len(self._entities) >= MAX_ENTITIES:
                log.warning("discovery.too_many", most=MAX_ENTITIES)
                return
            self._entities[entity.key] = entity
            if self._station_of(entity) is not None:
                self._subscribe(entity.state_topic)
                for source in entity.availability:
                    self._subscribe(source.topic)

    def _station_of(self, entity: Entity) -> Station | None:
        return next((self._stations[name] for name in entity.names if name in self._stations), None)

    async def _state(self, entity: Entity, station: Station, text: str, body: Any, *, is_old: bool) -> None:
        try:
            value = entity.value(text, None if body is ABSENT else body)
        except TemplateFault as fault:
            log.info("discovery.template_fails", device=station.id, entity=entity.key, reason=str(fault))
            return
        if value is not None:
            await station.say(Message(items={entity.item: value}, topic=entity.state_topic, is_old=is_old))

    async def _available(self, entity: Entity, source: Availability, text: str, body: Any, station: Station) -> None:
        try:
            word = source.template.render(text, None if body is ABSENT else body) if source.template else text.strip()
        except TemplateFault:
            return
        if word not in (source.available, source.not_available):
            return
        self._there[entity.key, source.topic] = word == source.available
        words = [self._there.get((entity.key, other.topic)) for other in entity.availability]
        if entity.availability_mode == "all":
            is_online = all(words)
        elif entity.availability_mode == "any":
            is_online = any(words)
        else:
            is_online = word == source.available
        if is_online or None not in words or entity.availability_mode == "latest":
            await station.link(is_online=is_online, reason=None if is_online else "its own word: not available")
