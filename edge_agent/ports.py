"""The few shapes by which the agent's parts know each other; everything else about them is their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from wire.clock import Clock
from wire.events import DriverHealth, KnownEvent


class Place(NamedTuple):
    """Where the outbox put an event."""

    epoch: str
    seq: int


class Sink(Protocol):
    """Takes events from drivers."""

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        """Return when every event is on disk (fsync), one place for each.

        Reflexes have seen the events before the disk has. Raises OutboxError when the disk refuses; the caller keeps
        what it can (a QoS 1 message stays unacknowledged) and goes on.
        """
        ...


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver gets from whoever starts it."""

    clock: Clock
    sink: Sink
    beat: Callable[[], None]
    """Call at least every few seconds while all is well; a driver that falls silent is taken for hung and restarted."""


class Driver(Protocol):
    """Owns one transport (a serial bus, the MQTT devices, a camera): its I/O, retries and health."""

    @property
    def name(self) -> str:
        """Unique on the gateway; stands in `gateway.health`."""
        ...

    @property
    def device_ids(self) -> frozenset[str]:
        """The devices it serves, so that a command finds its way."""
        ...

    async def run(self) -> None:
        """Work until cancelled. A lost link is retried inside; an exception out of here is a crash and restarts it."""
        ...

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """Carry out a command that the device's profile names (`siren_on`, `identify`, …).

        Returns when the device confirmed it. Raises LinkError, or CommandError when the device has no such command.
        """
        ...

    def health(self) -> DriverHealth:
        """How it fares, at once and without I/O."""
        ...
