"""Which rules an event of a device concerns at once: life safety, security and technical; and when to look again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.device_location import Place
from hub.domain.entities import Credential, HelpService
from hub.domain.local_time import local_day, start_of
from hub.domain.observations import DeviceState
from hub.rules import (
    l1_smoke,
    l3_duress,
    l4_detector_lost,
    l5_detector_worn,
    l8_exit_blocked,
    s1_forced,
    s2_wrong_tries,
    s3_door_open,
    s4_master_used,
    s5_camera_covered,
    s6_invalid_credential,
    t3_battery,
    w2_help_button,
)
from hub.rules.model import Finding
from hub.rules.policy import Policy
from wire.events import (
    AnyEvent,
    CameraState,
    DeviceHealth,
    DoorState,
    FireComponent,
    HelpCall,
    LockAccess,
    LockAlarm,
    LockState,
    PeopleCrossing,
    PeoplePresent,
    SmokeState,
)

_LOCKS: Final = frozenset({"lock", "reader", "contact", "panel"})
_INVALID: Final = frozenset({"expired", "revoked", "outside_validity", "disabled"})
EXIT: Final = "exit_door"


@dataclass(frozen=True, slots=True)
class Around:
    """What a rule must know besides the event and its device.

    `people`: registered in the unit, None where no unit is known. `others_in_alarm`: other smoke detectors of the
    building that alarm now. `held`: what the registry says of the event's credential. `is_booked`: opening was agreed.
    `help_button`: the unit's help service, None where nobody asked for it.
    """

    people: int | None = None
    others_in_alarm: int = 0
    held: Credential | None = None
    is_booked: bool = False
    help_button: HelpService | None = None


def is_invalid(event: LockAccess, held: Credential | None) -> bool:
    """Whether the credential is one that was revoked or has expired, by the lock's word or the registry's."""
    return event.data.reason in _INVALID or (held is not None and held.is_invalid_at(event.observed_at))


def is_ordinary(event: AnyEvent, seen: DeviceState, held: Credential | None) -> bool:
    """Whether an event shows no more than that people are about: what is most frequent, and what `judge` passes over.

    `seen`: the device's state before it; `held`: what the registry says of its credential.
    """
    if isinstance(event, LockAccess):
        data = event.data
        is_own = held is None or not held.is_of_management
        is_by_hand = data.credential is None or data.credential.type != "remote"
        return data.result == "granted" and not seen.tries and is_own and is_by_hand
    return isinstance(event, (PeopleCrossing, PeoplePresent))


def judge(  # noqa: PLR0912  # one branch per kind
    place: Place,
    event: AnyEvent,
    event_id: int,
    *,
    was: DeviceState,
    seen: DeviceState,
    around: Around,
    policy: Policy,
    now: datetime,
) -> Iterator[Finding]:
    """Findings of one event. `was` and `seen`: the device's state before and after it; `now`: when it arrived.

    A state that lasted for too long is an alert also when its end arrives before anybody has looked at the clock: a
    gateway that was away tells of both at once.
    """
    match event:
        case SmokeState():
            yield from _smoke(place, event, event_id, was=was, seen=seen, around=around)
        case FireComponent():
            found = l1_smoke.on_fire_component(
                place, event, event_id, people=around.people, others=around.others_in_alarm
            )
            if found is not None:
                yield found
        case HelpCall():
            yield w2_help_button.on_call(place, event, event_id, around.help_button)
        case LockAlarm():
            yield from _lock_alarm(place, event, event_id, policy)
        case LockAccess():
            yield from _access(place, event, event_id, was=was, seen=seen, around=around, policy=policy)
        case LockState() if place.placement == EXIT:
            yield l8_exit_blocked.on_state(place, event, event_id)
        case DeviceHealth():
            yield from _health(place, event, event_id, was=was, seen=seen, policy=policy)
        case DoorState():
            doors = policy.of("S3", s3_door_open.Parameters)
            if was.door_open_since is not None:
                yield s3_door_open.judge(place, was, doors, event.observed_at)
            yield s3_door_open.judge(place, seen, doors, now)
        case CameraState():
            cameras = policy.of("S5", s5_camera_covered.Parameters)
            if was.camera_since is not None:
                yield s5_camera_covered.judge(place, was, cameras, event.observed_at)
            yield s5_camera_covered.judge(place, seen, cameras, now)
        case _:
            pass


def _smoke(
    place: Place, event: SmokeState, event_id: int, *, was: DeviceState, seen: DeviceState, around: Around
) -> Iterator[Finding]:
    if event.data.test or not (seen.smoke or was.smoke):
        return
    found = l1_smoke.on_smoke(
        place, event, event_id, is_smoke=seen.smoke, people=around.people, others=around.others_in_alarm
    )
    if found is not None:
        yield found


def _lock_alarm(place: Place, event: LockAlarm, event_id: int, policy: Policy) -> Iterator[Finding]:
    match event.data.alarm:
        case "duress":
            yield l3_duress.on_alarm(place, event, event_id)
        case "forced" | "tamper":
            yield s1_forced.on_alarm(place, event.observed_at, event_id, event.data.alarm)
        case "lockout":
            p = policy.of("S2", s2_wrong_tries.Parameters)
            yield s2_wrong_tries.on_lockout(place, event.observed_at, event_id, p)
        case "held_open":
            yield s3_door_open.on_held_open(place, event.observed_at, event_id)


def _access(
    place: Place,
    event: LockAccess,
    event_id: int,
    *,
    was: DeviceState,
    seen: DeviceState,
    around: Around,
    policy: Policy,
) -> Iterator[Finding]:
    at = event.observed_at
    if event.data.result == "granted":
        found = s4_master_used.on_access(
            place, event, event_id, held=around.held, people=around.people or 0, is_booked=around.is_booked
        )
        if found is not None:
            yield found
        if was.tries:
            yield s2_wrong_tries.judge(place, seen, policy.of("S2", s2_wrong_tries.Parameters), at)
        return
    if is_invalid(event, around.held):
        late = s6_invalid_credential.judge(place, seen, policy.of("S6", s6_invalid_credential.Parameters), at)
        if late is not None:
            yield late
        return
    tries = s2_wrong_tries.judge(place, seen, policy.of("S2", s2_wrong_tries.Parameters), at)
    if tries.active:
        yield tries


def _health(
    place: Place, event: DeviceHealth, event_id: int, *, was: DeviceState, seen: DeviceState, policy: Policy
) -> Iterator[Finding]:
    at, data = event.observed_at, event.data
    if data.tamper is not None and data.tamper != bool(was.tamper):
        if place.kind == "smoke":
            yield l4_detector_lost.on_tamper(place, at, event_id, tampered=data.tamper)
        elif place.kind in _LOCKS:
            forced = s1_forced.on_alarm(place, at, event_id, "tamper")
            yield forced if data.tamper else s1_forced.on_tamper_over(place, at)
    if place.placement == EXIT and data.fault is not None:
        yield l8_exit_blocked.on_fault(place, event, event_id)
    if data.battery_pct is None and data.battery_low is None:
        return
    if place.kind == "smoke":
        p = policy.of("L5", l5_detector_worn.Parameters)
        yield from l5_detector_worn.judge(place, seen, p, at, local_day(at))
    else:
        found = t3_battery.judge(place, was, seen, policy.of("T3", t3_battery.Parameters), at)
        if found is not None:
            yield found


def judge_time(place: Place, kind: str, seen: DeviceState, policy: Policy, now: datetime) -> Iterator[Finding]:
    """What time alone says of a device that was heard: an open door, a covered camera, tries that are over, wear."""
    if seen.door_open_since is not None:
        yield s3_door_open.judge(place, seen, policy.of("S3", s3_door_open.Parameters), now)
    if seen.camera is not None:
        yield s5_camera_covered.judge(place, seen, policy.of("S5", s5_camera_covered.Parameters), now)
    if seen.tries:
        tries = s2_wrong_tries.judge(place, seen, policy.of("S2", s2_wrong_tries.Parameters), now)
        if not tries.active:
            yield tries
    if seen.invalid:
        late = s6_invalid_credential.judge(place, seen, policy.of("S6", s6_invalid_credential.Parameters), now)
        if late is None:
            yield Finding("S6", place.device_subject(), now, active=False, source=place.key)
    if kind == "smoke":
        p = policy.of("L5", l5_detector_worn.Parameters)
        yield from l5_detector_worn.judge(place, seen, p, now, local_day(now))


def next_check(
    place: Place, kind: str, seen: DeviceState, *, last_seen_at: datetime, policy: Policy, now: datetime
) -> datetime | None:
    """When time alone may make one of this device's rules true, or end it."""
    due = [
        s3_door_open.next_check(place, seen, policy.of("S3", s3_door_open.Parameters), now),
        s5_camera_covered.next_check(seen, policy.of("S5", s5_camera_covered.Parameters), now),
    ]
    if seen.tries:
        window_s = policy.of("S2", s2_wrong_tries.Parameters).window_s
        due.append(seen.tries[-1].at + timedelta(seconds=window_s + 1))
    if seen.invalid:
        window_h = policy.of("S6", s6_invalid_credential.Parameters).window_h
        due.append(seen.invalid[-1].at + timedelta(hours=window_h, seconds=1))
    if kind == "smoke":
        p = policy.of("L4", l4_detector_lost.Parameters)
        heartbeat_s = place.known.heartbeat_s if place.known else None
        due.append(last_seen_at + l4_detector_lost.allowed_silence(p, heartbeat_s) + timedelta(seconds=1))
        due.append(start_of(local_day(now) + timedelta(days=1)))
    return min((at for at in due if at is not None and at > now), default=None)
