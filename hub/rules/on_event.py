"""Which rules an event of a device concerns at once: life safety, security and technical, in this order."""

from collections.abc import Iterator
from dataclasses import dataclass

from hub.rules import l1_smoke, l3_duress, l4_detector_lost, s1_forced
from hub.rules.model import Finding
from hub.rules.place import Place
from hub.rules.policy import Policy
from hub.rules.seen import DeviceSeen
from wire.events import AnyEvent, DeviceHealth, FireComponent, LockAlarm, SmokeState

_LOCKS = frozenset({"lock", "reader", "contact", "panel"})


@dataclass(frozen=True, slots=True)
class Around:
    """What a rule must know besides the event: who lives here, and how many other detectors of the building alarm."""

    people: int | None
    others_in_alarm: int


def judge(  # an event with all that its rules need
    place: Place,
    event: AnyEvent,
    event_id: int,
    *,
    was: DeviceSeen,
    seen: DeviceSeen,
    around: Around,
    policy: Policy,
) -> Iterator[Finding]:
    """Findings of one event. `was` and `seen`: the device's state before and after it."""
    match event:
        case SmokeState():
            if not event.data.test and (seen.smoke or was.smoke):
                found = l1_smoke.on_smoke(
                    place, event, event_id,
                    is_smoke=seen.smoke, people=around.people, others=around.others_in_alarm,
                )  # fmt: skip
                if found is not None:
                    yield found
        case FireComponent():
            yield from _fire_component(place, event, event_id, around)
        case LockAlarm(data=data):
            if data.alarm == "duress":
                yield l3_duress.on_alarm(place, event, event_id)
            elif data.alarm in {"forced", "tamper"}:
                yield s1_forced.on_alarm(place, event.observed_at, event_id, data.alarm)
        case DeviceHealth(data=data):
            if data.tamper is not None and data.tamper != bool(was.tamper):
                yield from _tamper(place, event, event_id, tampered=data.tamper)
        case _:
            pass


def _fire_component(place: Place, event: FireComponent, event_id: int, around: Around) -> Iterator[Finding]:
    found = l1_smoke.on_fire_component(place, event, event_id, people=around.people, others=around.others_in_alarm)
    if found is not None:
        yield found


def _tamper(place: Place, event: DeviceHealth, event_id: int, *, tampered: bool) -> Iterator[Finding]:
    at = event.observed_at
    if place.kind == "smoke":
        yield l4_detector_lost.on_tamper(place, at, event_id, tampered=tampered)
    elif place.kind in _LOCKS:
        yield s1_forced.on_alarm(place, at, event_id, "tamper") if tampered else s1_forced.on_tamper_over(place, at)
