"""What the latest events say of devices, credentials and nights, as plain values kept as JSON between events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from wire.events import (
    AnyEvent,
    CameraState,
    DeviceHealth,
    DoorState,
    HelpCall,
    LockAccess,
    LockState,
    PeopleCrossing,
    PeoplePresent,
    SmokeState,
)

MOST_TRIES: Final = 16
MOST_CHARGES: Final = 90
A_DAY: Final = timedelta(days=1)
REPLACED_PCT: Final = 15.0
"""A battery that holds so much more than before is another one, or was charged."""
_SIGNS_OF_LIFE: Final = (PeopleCrossing, PeoplePresent, DoorState, LockAccess, HelpCall)


class Try(Struct, frozen=True, array_like=True):
    """One refused credential."""

    at: datetime
    event_id: int
    ref: str


class Charge(Struct, frozen=True, array_like=True):
    """What a battery held."""

    at: datetime
    pct: float


class DeviceState(Struct, omit_defaults=True):
    """The state of one device as its events told it. Absent means that no event ever said."""

    smoke: bool = False
    silenced: bool = False
    tested_at: datetime | None = None
    battery_pct: float | None = None
    battery_low: bool | None = None
    tamper: bool | None = None
    fault: str | bool | None = None
    online: bool | None = None
    rssi_dbm: float | None = None
    # Which profile the gateway reads it with, and the software that it runs.
    profile: str | None = None
    firmware: str | None = None
    lock: str | None = None
    door_open_since: datetime | None = None
    door_event_id: int | None = None
    camera: str | None = None
    camera_since: datetime | None = None
    camera_event_id: int | None = None
    # What the camera says of its own errors, measured by whoever mounted it.
    miss_rate: float | None = None
    double_rate: float | None = None
    tries: list[Try] = []
    invalid: list[Try] = []
    health_event_id: int | None = None
    # What the battery said, at most once a day: from these its end is foretold.
    charges: list[Charge] = []
    # When somebody last passed, opened or was seen; written with the device, so at most a minute behind.
    active_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UseDay:
    """Uses of one credential in one unit on one local day."""

    ref: str
    day: date
    opens: int
    denied: int
    outside_booking: int
    first_event_id: int
    last_event_id: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Night:
    """What is believed of the number of people inside between 02:00 and 05:00; `night` is the morning's date.

    `lower` is the one-sided 90 % bound. `abstained` says why no belief is offered, or is empty. `chances[n]`: n were
    inside; a number that is not there is as good as impossible. `before`: for numbers of the night before, how
    likely that one went together with each of this night.
    """

    night: date
    at: datetime
    mean: float
    lower: int
    upper: int
    sigma: float
    coverage: float
    abstained: str
    crossings: int
    chances: tuple[float, ...] = ()
    before: tuple[tuple[int, tuple[float, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class UnitObservations:
    """What was seen of a unit: uses of the last weeks, nights of the last week, and whether its devices were there.

    `is_dark`: a gateway or device that the unit's rules rest on is silent now, so that compliance rules abstain.
    `watched_since`: since when a lock or a counter of the unit has been heard.
    `elsewhere`: people of this unit who are entered in another unit too, or under another code with one document.
    `named_elsewhere`: credentials used here that the registry has, bound to somebody, at another unit or at none.
    """

    uses: tuple[UseDay, ...] = ()
    last_use: dict[str, datetime] | None = None
    nights: tuple[Night, ...] = ()
    last_activity_at: datetime | None = None
    has_lock: bool = False
    lock_since: datetime | None = None
    is_dark: bool = False
    named_elsewhere: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    lock_seen_at: datetime | None = None
    watched_since: datetime | None = None


def note_activity(seen: DeviceState, at: datetime) -> None:
    """Note that people were about at `at`."""
    if seen.active_at is None or at > seen.active_at:
        seen.active_at = at


def apply_event(  # noqa: PLR0911, PLR0912  # one branch per kind
    seen: DeviceState, event: AnyEvent, event_id: int, *, is_invalid: bool = False
) -> bool:
    """Bring `seen` up to date with an event of its device. True when something changed that is worth keeping.

    `is_invalid`: the credential of the event is one that was revoked or has expired, by the registry or by the lock.
    """
    if isinstance(event, _SIGNS_OF_LIFE):
        note_activity(seen, event.observed_at)
    match event:
        case SmokeState(data=data):
            if data.test:
                seen.tested_at = event.observed_at
                return True
            # Silenced is not clear: GB 20517-2025 lets a unit be silenced while smoke is still there.
            smoke = data.alarm or (data.silenced and seen.smoke)
            changed = seen.smoke != smoke or seen.silenced != data.silenced
            seen.smoke, seen.silenced = smoke, data.silenced
            return changed
        case DeviceHealth(data=data):
            changed = False
            for name in ("battery_pct", "battery_low", "tamper", "fault", "online", "rssi_dbm", "profile", "firmware"):
                value = getattr(data, name)
                if value is not None and value != getattr(seen, name):
                    setattr(seen, name, value)
                    changed = changed or name != "rssi_dbm"
            if changed:
                seen.health_event_id = event_id
            return _keep_charge(seen, event.observed_at, data.battery_pct) or changed
        case DoorState(data=data):
            if not data.open:
                changed = seen.door_open_since is not None
                seen.door_open_since = seen.door_event_id = None
                return changed
            if seen.door_open_since is None:
                seen.door_open_since, seen.door_event_id = event.observed_at, event_id
                return True
            return False
        case LockState(data=data):
            changed = seen.lock != data.state
            seen.lock = data.state
            return changed
        case CameraState(data=data):
            changed = seen.camera != data.state
            if changed:
                seen.camera, seen.camera_since, seen.camera_event_id = data.state, event.observed_at, event_id
            rates = data.miss_rate, data.double_rate
            if data.miss_rate is not None and rates != (seen.miss_rate, seen.double_rate):
                seen.miss_rate, seen.double_rate = rates
                return True
            return changed
        case LockAccess(data=data):
            if data.result == "granted":
                changed = bool(seen.tries)
                seen.tries = []
                return changed
            found = Try(event.observed_at, event_id, ref_of(event) or "")
            if is_invalid:
                seen.invalid = [*seen.invalid[-(MOST_TRIES - 1) :], found]
            else:
                seen.tries = [*seen.tries[-(MOST_TRIES - 1) :], found]
            return True
        case _:
            return False


def _keep_charge(seen: DeviceState, at: datetime, pct: float | None) -> bool:
    last = seen.charges[-1] if seen.charges else None
    if pct is None or (last is not None and at - last.at < A_DAY and pct - last.pct < REPLACED_PCT):
        return False
    seen.charges = [*seen.charges[-(MOST_CHARGES - 1) :], Charge(at, pct)]
    return True


class _Active(Struct):
    active_at: datetime | None = None


_active_decoder = msgspec.json.Decoder(_Active)


def active_at(state: str) -> datetime | None:
    """When a device last showed a sign of life of people, from its stored state."""
    return _active_decoder.decode(state).active_at


def ref_of(event: LockAccess) -> str | None:
    """Under what a credential's uses are counted: its reference, else the lock's slot; None for what has neither."""
    credential = event.data.credential
    if credential is None:
        return None
    if credential.ref is not None:
        return credential.ref
    if credential.slot is not None:
        return f"slot:{event.device}:{credential.slot}"
    return None
