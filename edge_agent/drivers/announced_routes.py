"""Devices that announce themselves by Home Assistant's MQTT discovery: no profile of their own is needed.

Whoever may publish on the discovery topic can announce devices. Only those that the configuration names count.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from edge_agent.drivers.mqtt_routes import Outgoing, parse_json
from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError
from edge_agent.protocols.ha_discovery import Availability, Entity, entities_of, ignored_of
from edge_agent.protocols.ha_template import TemplateFault
from edge_agent.protocols.message import ABSENT, Message
from firmware_profiles.base import Scalar
from firmware_profiles.transports import CommandSpec

MAX_ENTITIES: Final = 2000

log = structlog.get_logger()


class AnnouncedRoutes:
    """Implements Routes. `subscribe` is called for the state topics of configured devices."""

    def __init__(
        self,
        prefix: str,
        stations: Sequence[Station],
        subscribe: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._prefix = prefix
        self._monotonic = monotonic
        self._heard_s: dict[str, float] = {}
        """Entity -> when its state was heard last, or when it was announced."""
        self._on_since_s: dict[str, float] = {}
        """Entity with an `off_delay` -> since when it is on."""
        self._stations = {str(station.section.address or station.id): station for station in stations}
        self._subscribe = subscribe
        self._entities: dict[str, Entity] = {}
        self.ignored: dict[str, list[str]] = {}
        """Announcement -> what of it is passed over, and why; of configured devices, and of all for `discover`."""
        self._words: dict[str, bytes] = {}
        """Availability topic -> what it said last: entities that are announced later need it too."""

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
            for entity in self._announce(topic, payload):
                station = self._station_of(entity)
                if station is not None:
                    await station.runs(entity.firmware)
                await self._judge(entity)
            return
        for entity in list(self._entities.values()):
            if any(source.topic == topic for source in entity.availability):
                self._words[topic] = payload
                await self._judge(entity, topic)
            if entity.state_topic == topic:
                await self._state(entity, payload, is_old=is_retained)

    async def tick(self) -> None:
        """Let time have its effect: `off_delay` over, a device silent for longer than its `expire_after`."""
        now_s = self._monotonic()
        for key, since_s in list(self._on_since_s.items()):
            entity = self._entities.get(key)
            if entity is None or entity.off_delay_s is None:
                del self._on_since_s[key]
            elif now_s - since_s >= entity.off_delay_s:
                del self._on_since_s[key]
                await self._say(entity, entity.off_value, is_old=False)
        for station in self._stations.values():
            await self._expire(station, now_s)

    async def _expire(self, station: Station, now_s: float) -> None:
        """A device whose every entity that should have spoken has not is gone; one silent entity may be at rest."""
        waiting = [
            e for e in self._entities.values() if e.expire_after_s is not None and self._station_of(e) is station
        ]
        silent = [e for e in waiting if now_s - self._heard_s.get(e.key, now_s) > (e.expire_after_s or 0)]
        if waiting and len(silent) == len(waiting) and station.is_online is not False:
            longest_s = max(entity.expire_after_s or 0 for entity in silent)
            await station.link(is_online=False, reason=f"silent for {longest_s:g} s (its expire_after)")

    def outgoing(self, station: Station, spec: CommandSpec) -> list[Outgoing]:
        """What a device announces has no commands of ours."""
        raise CommandError(f"{station.id}: a device known by its announcement takes no commands; give it a profile")

    def _announce(self, topic: str, payload: bytes) -> list[Entity]:
        """Take an announcement in; gives its entities that are configured."""
        for key in [key for key in self._entities if key == topic or key.startswith(f"{topic}#")]:
            del self._entities[key]
            self._heard_s.pop(key, None)
        body = parse_json(payload) if payload else ABSENT
        entities, faults = entities_of(topic, body, self._prefix) if body is not ABSENT else ([], [])
        for fault in faults:
            log.warning("discovery.refused", reason=fault)
        self._note_ignored(topic, body, entities)
        counted = []
        for entity in entities:
            if len(self._entities) >= MAX_ENTITIES:
                log.warning("discovery.too_many", most=MAX_ENTITIES)
                break
            self._entities[entity.key] = entity
            self._heard_s.setdefault(entity.key, self._monotonic())
            if self._station_of(entity) is not None:
                counted.append(entity)
                self._subscribe(entity.state_topic)
                for source in entity.availability:
                    self._subscribe(source.topic)
        return counted

    def _note_ignored(self, topic: str, body: object, entities: Sequence[Entity]) -> None:
        """Say once for each announcement what of it does nothing here."""
        passed_over = ignored_of(topic, body, self._prefix) if body is not ABSENT else []
        if not passed_over or len(self.ignored) >= MAX_ENTITIES:
            self.ignored.pop(topic, None)
        elif self.ignored.get(topic) != passed_over:
            self.ignored[topic] = passed_over
            if any(self._station_of(entity) is not None for entity in entities):
                log.info("discovery.ignored", topic=topic, what=passed_over[:8])

    def _station_of(self, entity: Entity) -> Station | None:
        return next((self._stations[name] for name in entity.names if name in self._stations), None)

    async def _state(self, entity: Entity, payload: bytes, *, is_old: bool) -> None:
        station = self._station_of(entity)
        if station is None:
            return
        body = parse_json(payload)
        try:
            value = entity.value(payload.decode("utf-8", errors="replace"), None if body is ABSENT else body)
        except TemplateFault as fault:
            log.info("discovery.template_fails", device=station.id, entity=entity.key, reason=str(fault))
            return
        if not is_old:
            self._heard_s[entity.key] = self._monotonic()
        if value is None:
            return
        if entity.off_delay_s is not None and value != entity.off_value and not is_old:
            self._on_since_s[entity.key] = self._monotonic()
        else:
            self._on_since_s.pop(entity.key, None)
        await self._say(entity, value, is_old=is_old)

    async def _say(self, entity: Entity, value: Scalar | None, *, is_old: bool) -> None:
        station = self._station_of(entity)
        if station is not None and value is not None:
            await station.say(Message(items=entity.items(value), topic=entity.state_topic, is_old=is_old))

    async def _judge(self, entity: Entity, topic: str | None = None) -> None:
        """Tell the station whether its device is there; `topic` has just spoken."""
        station = self._station_of(entity)
        words = [self._word(source) for source in entity.availability]
        if station is None or not any(word is not None for word in words):
            return
        if entity.availability_mode == "any":
            is_online: bool | None = True if True in words else (None if None in words else False)
        elif entity.availability_mode == "latest" and topic is not None:
            spoken = [source for source in entity.availability if source.topic == topic]
            is_online = next((word for word in map(self._word, spoken) if word is not None), None)
        else:
            # `latest` too, before anything was heard in its order: one topic that says no decides.
            is_online = False if False in words else (None if None in words else True)
        if is_online is not None:
            await station.link(is_online=is_online, reason=None if is_online else "its own word: not available")

    def _word(self, source: Availability) -> bool | None:
        """What an availability topic said last; None before it said anything that it announced."""
        payload = self._words.get(source.topic)
        if payload is None:
            return None
        text, body = payload.decode("utf-8", errors="replace").strip(), parse_json(payload)
        try:
            word = source.template.render(text, None if body is ABSENT else body) if source.template else text
        except TemplateFault:
            return None
        return True if word == source.available else (False if word == source.not_available else None)
