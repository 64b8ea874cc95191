"""One configured device: what is known of it, and the way from its messages to the sink."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from edge_agent.config import AgentConfig, DeviceSection
from edge_agent.errors import ConfigError, OutboxError
from edge_agent.interpret import (
    DeviceState,
    Moment,
    Outcome,
    Subject,
    firmware_told,
    interpret,
    link_changed,
    tick,
)
from edge_agent.ports import DriverContext
from edge_agent.profile_examples import check_examples
from edge_agent.protocols.fields import read_fields
from edge_agent.protocols.message import Hasher, Message, no_hash
from edge_agent.protocols.payload import is_of, split
from edge_agent.secrets import read_secret
from firmware_profiles.base import Scalar, matches
from firmware_profiles.errors import ProfileError
from firmware_profiles.loader import find_profile, load_profile, mark_of
from firmware_profiles.model import Profile
from firmware_profiles.transports import MqttTransport
from wire.events import KnownEvent
from wire.ids import credential_ref

MAX_UNSENT: Final = 500
"""Events of one device that wait for a disk that refuses; older ones give way."""

log = structlog.get_logger()


class Station:
    """A device of the configuration. Everything runs on the event loop."""

    def __init__(
        self, section: DeviceSection, profile: Profile, context: DriverContext, hasher: Hasher, mark: str = ""
    ) -> None:
        self.section = section
        self.profile = profile
        self._subject = Subject(section.id, profile, section.unit, section.parts, mark)
        self._context = context
        self._hasher = hasher
        self._state = DeviceState()
        self._unsent: deque[KnownEvent] = deque(maxlen=MAX_UNSENT)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._values: dict[str, Scalar | None] = {}
        self.faults = 0
        self.last_fault: str | None = None

    @property
    def id(self) -> str:
        """Its name on the wire."""
        return self.section.id

    @property
    def is_online(self) -> bool | None:
        """Whether it answers; None before anything is known."""
        return self._state.is_online

    def value(self, field: str) -> Scalar | None:
        """What a field was worth when it was last read."""
        return self._values.get(field)

    async def say(self, message: Message) -> bool:
        """Take in what the device said. True when its events are on disk, False while the disk refuses them."""
        messages, fault = split(message, self.profile.decoder)
        transport = self.profile.transport
        if isinstance(transport, MqttTransport) and transport.address_at is not None:
            address = str(self.section.address or self.section.id)
            messages = [item for item in messages if is_of(item, transport.address_at, address)]
        is_kept = True
        for index, item in enumerate(messages):
            reading = read_fields(self.profile, item, self._hasher)
            if fault is not None and not index:
                reading = replace(reading, faults=(fault, *reading.faults))
            async with self._turn:
                await self._take(interpret(self._subject, self._state, reading, self._now()))
                is_kept = not self._unsent
            self._values |= reading.values
        self._changed.set()
        return is_kept

    async def hash(self, kind: str, canonical: str) -> str | None:
        """The reference of a credential under the organisation's key."""
        return self._hasher(kind, canonical)

    async def tick(self) -> None:
        """Let time have its effect: debounce, staleness, repetition."""
        async with self._turn:
            await self._take(tick(self._subject, self._state, self._now()))

    async def link(self, *, is_online: bool, reason: str | None = None) -> None:
        """The driver knows that the device answers, or that it does not."""
        async with self._turn:
            await self._take(link_changed(self._subject, self._state, self._now(), is_online=is_online, reason=reason))

    async def runs(self, firmware: str) -> None:
        """The device has said which software it runs."""
        async with self._turn:
            await self._take(firmware_told(self._subject, self._state, self._now(), firmware))

    async def confirmed(self, wanted: Mapping[str, Scalar], timeout_s: float) -> bool:
        """Whether fields come to have the wanted values in time."""

        async def wait() -> None:
            while not all(matches(self._values.get(name), value) for name, value in wanted.items()):
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def _now(self) -> Moment:
        return Moment(self._context.clock.now(), self._context.clock.monotonic())

    async def _take(self, outcome: Outcome) -> None:
        self._state = outcome.state
        for fault in outcome.faults:
            self.faults += 1
            if fault != self.last_fault:
                # Once for each new fault: a broken device repeats itself every second.
                log.warning("device.unexplained", device=self.id, fault=fault)
            self.last_fault = fault
        self._unsent.extend(outcome.events)
        if not self._unsent:
            return
        waiting: Sequence[KnownEvent] = list(self._unsent)
        try:
            await self._context.sink.accept(waiting)
        except OutboxError as error:
            log.error("device.outbox_refuses", device=self.id, waiting=len(waiting), error=str(error))
            return
        self._unsent.clear()


def stations_of(
    config: AgentConfig, sections: Sequence[DeviceSection], context: DriverContext, kinds: Sequence[str]
) -> list[Station]:
    """The stations of a driver. Raises ConfigError for a profile that cannot work."""
    hasher = hasher_of(config)
    stations = []
    for section in sections:
        profile = profile_of(section)
        if profile.transport.kind not in kinds:
            raise ConfigError(
                f"device {section.id}: profile {section.profile} is for {profile.transport.kind}, "
                f"its bus speaks {' or '.join(kinds)}; choose another profile or bus"
            )
        stations.append(Station(section, profile, context, hasher, mark_of(find_profile(section.profile))))
    return stations


def profile_of(section: DeviceSection) -> Profile:
    """The profile of a device, its examples checked. Raises ConfigError."""
    try:
        path = find_profile(section.profile)
        profile = load_profile(path)
    except ProfileError as error:
        raise ConfigError(f"device {section.id}: {error}") from error
    for fault in check_examples(profile):
        raise ConfigError(f"device {section.id}: {path}: example {fault.name!r}: {fault.reason}; mend the profile")
    return profile


def hasher_of(config: AgentConfig) -> Hasher:
    """How this gateway refers to credentials. Raises ConfigError for a key that is none."""
    path = config.gateway.organisation_key_file
    if path is None:
        return no_hash
    text = read_secret(path, "gateway.organisation_key_file")
    try:
        key = bytes.fromhex(text)
        credential_ref(key, "card", "0")
    except ValueError as error:
        raise ConfigError(f"gateway.organisation_key_file: {path}: {error}; 32 bytes as 64 hex digits") from error
    return lambda kind, canonical: credential_ref(key, kind, canonical)
