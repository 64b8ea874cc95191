"""Compares what the simulated devices did with what the hub has stored: pure, one finding a row.

The comparison goes device by device and kind by kind, in order. The n-th outcome that the ground truth and the scenario
call for must be the n-th stored event of that device and kind, with the fields that the scenario names, observed after
the thing happened and within the time that the scenario allows. What is left over on either side is a fault.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from simulators.demo.ground_truth import STARTED, STRANGER, Entry
from simulators.hub_api import StoredEvent
from simulators.scenario import Outcome, PresentCard, Scenario, Stranger
from wire.events import EVENT_TYPES
from wire.ids import canonical_card, credential_ref

CLOCK_SLACK: Final = timedelta(milliseconds=50)
"""The ground truth and the agent read the same clock, in two processes; wire instants are cut to milliseconds."""
REPEAT_AFTER: Final = timedelta(seconds=30)
"""A standing state is said again once a minute (`repeat_s` of the profiles); sooner, it is an event too many."""
REPEATED_KINDS: Final = frozenset({"smoke.state", "device.health", "camera.state"})


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that must be stored because of `entry`."""

    device: str
    kind: str
    data: Mapping[str, Any]
    since: datetime
    until: datetime
    because: str


@dataclass(slots=True)
class DeviceResult:
    """How one device fared. `repeats` are states said again, as profiles ask, and words of its own make."""

    device: str
    done: int = 0
    expected: int = 0
    stored: int = 0
    repeats: int = 0
    faults: list[str] = field(default_factory=list)


def expected_events(scenario: Scenario, entries: Sequence[Entry], organisation_key: bytes) -> list[Expected]:
    """What must be stored, in the order in which it happened. The reference of a card is computed from its number."""
    found: list[Expected] = []
    for entry in entries:
        if entry.what == STRANGER:
            continue
        if entry.step == STARTED:
            device = next((item for item in scenario.devices if item.id == entry.device), None)
            outcomes = device.begins if device is not None and entry.what == "started" else []
            because = f"{entry.device} came up"
        else:
            step = scenario.steps[entry.step]
            outcomes, because = step.becomes, step.says.en
        for outcome in outcomes:
            data = dict(outcome.data)
            if entry.step != STARTED and outcome.kind == "lock.access":
                data = _with_reference(scenario, entry.step, data, organisation_key)
            found.append(_expected(entry, outcome, data, because))
    return found


def _with_reference(scenario: Scenario, step_index: int, data: dict[str, Any], key: bytes) -> dict[str, Any]:
    step = scenario.steps[step_index]
    if not isinstance(step, PresentCard):
        return data
    reference = credential_ref(key, "card", canonical_card(step.card))
    return {**data, "credential": {"type": "card", "ref": reference}}


def _expected(entry: Entry, outcome: Outcome, data: Mapping[str, Any], because: str) -> Expected:
    return Expected(
        device=outcome.device or entry.device,
        kind=outcome.kind,
        data=data,
        since=entry.at - CLOCK_SLACK,
        until=entry.at + timedelta(seconds=outcome.within_s),
        because=because,
    )


def match(
    scenario: Scenario, entries: Sequence[Entry], stored: Iterable[StoredEvent], organisation_key: bytes
) -> list[DeviceResult]:
    """One result for each device of the scenario, and one for each stranger that the hub has events of."""
    wanted: dict[str, dict[str, list[Expected]]] = defaultdict(lambda: defaultdict(list))
    for item in expected_events(scenario, entries, organisation_key):
        wanted[item.device][item.kind].append(item)
    held: dict[str, dict[str, list[StoredEvent]]] = defaultdict(lambda: defaultdict(list))
    late: dict[str, list[str]] = defaultdict(list)
    last: dict[tuple[str, str], StoredEvent] = {}
    for event in sorted(stored, key=lambda item: (item.epoch, item.seq)):
        before = last.get((event.epoch, event.device))
        if before is not None and event.observed_at < before.observed_at:
            late[event.device].append(f"{event.kind} is numbered {event.seq}, after what came later")
        last[event.epoch, event.device] = event
        held[event.device][event.kind].append(event)
    for kinds in held.values():
        for events in kinds.values():
            # A device's events are in two lanes, each in order; the instants tell how they interleave.
            events.sort(key=lambda item: (item.observed_at, item.id))
    names = [device.id for device in scenario.devices]
    results: list[DeviceResult] = []
    for name in [*names, *sorted({*wanted, *held} - set(names))]:
        result = DeviceResult(name, done=_count_done(name, entries))
        result.faults += late[name]
        for kind in sorted({*wanted[name], *held[name]}):
            _match_kind(result, wanted[name][kind], held[name][kind])
        results.append(result)
    steps_done = {entry.step for entry in entries if entry.what != STRANGER}
    for index, step in enumerate(scenario.steps):
        if index not in steps_done:
            result = next(item for item in results if item.device == step.device)
            result.faults.append(f"was never done: {step.says.en}")
    return results


def _count_done(device: str, entries: Sequence[Entry]) -> int:
    return sum(entry.device == device and entry.step != STARTED and entry.what != STRANGER for entry in entries)


def match_stranger(spec: Stranger, entries: Sequence[Entry], stored: Iterable[StoredEvent]) -> DeviceResult:
    """The stranger's gateway: every event that it sent is stored, in order, with the same data and instant."""
    done = [entry for entry in entries if entry.what == STRANGER]
    held = sorted(stored, key=lambda item: (item.epoch, item.seq))
    result = DeviceResult(spec.id, done=len(done), expected=len(spec.events), stored=len(held))
    if len(done) != len(spec.events):
        result.faults.append(f"{len(done)} of {len(spec.events)} events were sent")
    wanted = [(spec.events[entry.step], entry.at) for entry in done]
    for (event, at), found in zip(wanted, held, strict=False):
        wrong = difference(event.data, in_full(found.kind, found.data))
        if (found.kind, found.device) != (event.kind, event.device) or wrong:
            result.faults.append(f"{event.says.en}: {found.kind} of {found.device} is stored, {wrong}")
        elif abs(found.observed_at - at) > CLOCK_SLACK:
            result.faults.append(f"{event.says.en}: observed at {found.observed_at}, not at {at}")
    if len(held) != len(wanted):
        result.faults.append(f"{len(wanted)} were sent, {len(held)} are stored")
    return result


def _match_kind(result: DeviceResult, wanted: Sequence[Expected], held: Sequence[StoredEvent]) -> None:
    result.expected += len(wanted)
    news = list(_without_repeats(held))
    result.repeats += len(held) - len(news)
    result.stored += len(news)
    for expected, event in zip(wanted, news, strict=False):
        wrong = difference(expected.data, in_full(event.kind, event.data))
        if wrong:
            result.faults.append(f"{expected.because}: {event.kind} has {wrong}")
        elif not expected.since <= event.observed_at <= expected.until:
            late_s = (event.observed_at - expected.since).total_seconds()
            result.faults.append(f"{expected.because}: {event.kind} observed {late_s:.1f} s after it happened")
    for expected in wanted[len(news) :]:
        result.faults.append(f"{expected.because}: no {expected.kind} is stored")
    for event in news[len(wanted) :]:
        result.faults.append(f"{event.kind} {dict(event.data)} is stored, and nothing caused it")


def _without_repeats(held: Sequence[StoredEvent]) -> Iterable[StoredEvent]:
    last: StoredEvent | None = None
    for event in held:
        if _tells_its_make(event):
            continue
        is_repeat = (
            last is not None
            and event.kind in REPEATED_KINDS
            and event.data == last.data
            and event.observed_at - last.observed_at >= REPEAT_AFTER
        )
        last = event
        if not is_repeat:
            yield event


def _tells_its_make(event: StoredEvent) -> bool:
    """A device whose software is known only after it came online says so by itself; it is no state of the house."""
    return event.kind == "device.health" and bool(event.data) and set(event.data) <= {"firmware", "profile"}


def in_full(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data with the defaults that the wire leaves out. Unknown kinds stay as they are."""
    if kind not in EVENT_TYPES:
        return dict(data)
    data_type = next(item.type for item in msgspec.structs.fields(EVENT_TYPES[kind]) if item.name == "data")
    full: dict[str, Any] = _with_defaults(msgspec.convert(data, data_type))
    return full


def _with_defaults(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {key: _with_defaults(item) for key, item in msgspec.structs.asdict(value).items()}
    return value


def difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What of `wanted` is not in `found`, for a person; empty when all of it is."""
    for key, value in wanted.items():
        if isinstance(value, Mapping) and isinstance(found.get(key), Mapping):
            inner = difference(value, found[key])
            if inner:
                return f"{key}.{inner}"
        elif found.get(key) != value:
            return f"{key} {found.get(key)!r} instead of {value!r}"
    return ""
