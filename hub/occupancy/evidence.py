"""What the wire's events say about people: a closed set of values, and the one translation into it."""

from dataclasses import dataclass
from datetime import datetime

from wire.events import AnyEvent, CameraState, DeviceHealth, LockAccess, PeopleCrossing, PeoplePresent


@dataclass(frozen=True, slots=True)
class Crossing:
    """`count` people were reported to cross the line into the place, or out of it."""

    at: datetime
    is_in: bool
    count: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Present:
    """`count` people were seen at once."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A lock let somebody in, or out."""

    at: datetime
    is_exit: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """A counter stopped seeing, or sees again."""

    at: datetime
    is_blind: bool


@dataclass(frozen=True, slots=True)
class Alive:
    """A counter said something of itself: it had nothing else to report until then."""

    at: datetime


Evidence = Crossing | Present | Entry | Sight | Alive


def evidence_of(event: AnyEvent) -> Evidence | None:
    """The evidence in one event of a counter or a lock; None for what says nothing of people."""
    at = event.observed_at
    if isinstance(event, PeopleCrossing):
        return Crossing(at, event.data.direction == "in", event.data.count, event.data.confidence)
    if isinstance(event, PeoplePresent):
        return Present(at, event.data.count)
    if isinstance(event, LockAccess):
        return Entry(at, event.data.direction == "out") if event.data.result == "granted" else None
    if isinstance(event, CameraState):
        return Sight(at, event.data.state != "ok")
    if isinstance(event, DeviceHealth):
        return Alive(at) if event.data.online is None else Sight(at, not event.data.online)
    return None
