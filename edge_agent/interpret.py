"""Readings and a profile to wire events: a pure function of what was known, what was read and when.

A field's new value counts when it held for its `debounce_s`. A rule then reports its event at a change, at a rising
condition or at each message, once. Silence longer than the profile allows is an event too.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from edge_agent.protocols.message import Reading
from edge_agent.translate import DEADBANDS, TranslationError, event_of
from firmware_profiles.base import Scalar, matches
from firmware_profiles.model import EventRule, Profile
from firmware_profiles.transports import ModbusTransport
from firmware_profiles.wire_keys import wire_keys
from wire.events import DeviceHealth, DeviceHealthData, KnownEvent

MAX_PARTS: Final = 4096
"""Components behind one fire panel; GB 50116 allows 3,200 points on a controller."""

MAX_AGE: Final = timedelta(days=7)
MAX_AHEAD: Final = timedelta(seconds=60)
"""How far a device's own time of an event may lie from the gateway's and be believed."""
MAX_FIRMWARE_CHARS: Final = 80


class Moment(NamedTuple):
    """The wall clock for the event, the monotonic one for durations."""

    wall: datetime
    monotonic_s: float


@dataclass(frozen=True, slots=True)
class Subject:
    """Which device it is."""

    device_id: str
    profile: Profile
    unit: str | None = None
    part_units: Mapping[str, str] = field(default_factory=dict)
    """Part of the device -> the unit it hangs in."""
    mark: str = ""
    """Its profile's file in a word (`firmware_profiles.loader.mark_of`)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A field's value, and since when."""

    value: Scalar | None
    at_s: float
    pending: tuple[Scalar | None, float] | None = None
    """A new value that has not yet held for `debounce_s`, and since when it stands."""
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule reported last, and whether its condition still holds."""

    data: tuple[tuple[str, Any], ...]
    at_s: float
    is_standing: bool
    token: Scalar | None = None
    """Value of the rule's `once_per` field that was dealt with last."""


@dataclass(frozen=True, slots=True)
class PartState:
    """What is known of a device, or of one part of it."""

    fields: Mapping[str, Known] = field(default_factory=dict)
    said: Mapping[int, Said] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    """Field with `increase` -> where its counter stood."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """All that the interpreter remembers of a device."""

    parts: Mapping[str, PartState] = field(default_factory=dict)
    is_online: bool | None = None
    heard_s: float | None = None
    firmware: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a reading."""

    events: list[KnownEvent]
    state: DeviceState
    faults: tuple[str, ...] = ()


def interpret(subject: Subject, state: DeviceState, reading: Reading, at: Moment) -> Outcome:
    """The events that a reading means. A device that speaks is online; what a broker kept says nothing of that."""
    online = Outcome([], state) if reading.is_old else link_changed(subject, state, at, is_online=True)
    part = _part_of(subject, reading)
    if part not in online.state.parts and len(online.state.parts) >= MAX_PARTS:
        return replace(online, faults=(*reading.faults, f"part: more than {MAX_PARTS} parts; {part!r} is not followed"))
    before = online.state.parts.get(part, PartState())
    seen_at, late = _observed(subject, reading, at)
    fields = dict(before.fields)
    counters = dict(before.counters)
    values = {name: _grown(subject, name, value, counters) for name, value in reading.values.items()}
    for name, value in values.items():
        fields[name] = _settle(subject, name, value, fields.get(name), at.monotonic_s)
    fresh = [name for name in reading.values if name in before.fields and before.fields[name].is_stale]
    events, said, faults = _report(
        subject, part, PartState(fields, before.said), frozenset(values), seen_at, is_new=not reading.is_old
    )
    if fresh and not any(item.is_stale for item in fields.values()):
        events.append(_health(subject, part, DeviceHealthData(fault=False), at))
    parts = {**online.state.parts, part: PartState(fields, said, counters)}
    new_state = replace(online.state, parts=parts, heard_s=at.monotonic_s)
    return Outcome([*online.events, *events], new_state, (*reading.faults, *late, *faults))


def tick(subject: Subject, state: DeviceState, at: Moment) -> Outcome:
    """The events that the passing of time means: values that held long enough, values and devices gone stale."""
    stale_after_s = subject.profile.health.stale_after_s
    if state.is_online and stale_after_s is not None and state.heard_s is not None:
        is_silent = at.monotonic_s - state.heard_s > stale_after_s
        if is_silent:
            return link_changed(subject, state, at, is_online=False, reason=f"silent for {stale_after_s:g} s")
    events: list[KnownEvent] = []
    faults: list[str] = []
    parts = dict(state.parts)
    for part, known in state.parts.items():
        fields = {name: _age(subject, name, value, at.monotonic_s) for name, value in known.fields.items()}
        changed = frozenset(name for name, value in fields.items() if value != known.fields[name])
        stale = [name for name, value in fields.items() if value.is_stale and not known.fields[name].is_stale]
        if stale:
            events.append(_health(subject, part, DeviceHealthData(fault=f"stale: {', '.join(stale)}"), at))
        # What a device said last is not said again for it while it does not answer.
        is_repeating = bool(state.is_online) and any(rule.repeat_s for rule in subject.profile.events)
        if not changed and not is_repeating:
            continue
        more, said, wrong = _report(subject, part, PartState(fields, known.said), changed, at, is_new=False)
        parts[part] = PartState(fields, said, known.counters)
        events += more
        faults += wrong
    return Outcome(events, replace(state, parts=parts), tuple(faults))


def link_changed(
    subject: Subject, state: DeviceState, at: Moment, *, is_online: bool, reason: str | None = None
) -> Outcome:
    """The event that the device answers again, or no longer; none when that is known already."""
    if state.is_online == is_online:
        return Outcome([], state)
    if is_online:
        data = DeviceHealthData(online=True, profile=subject.mark or None, firmware=state.firmware)
    else:
        data = DeviceHealthData(online=False, fault=reason or None)
    return Outcome([_health(subject, "", data, at)], replace(state, is_online=is_online))


def firmware_told(subject: Subject, state: DeviceState, at: Moment, firmware: str) -> Outcome:
    """The event that the device says which software it runs; none for what is known, or goes with its coming online."""
    text = firmware.strip()[:MAX_FIRMWARE_CHARS]
    if not text or text == state.firmware:
        return Outcome([], state)
    events: list[KnownEvent] = [_health(subject, "", DeviceHealthData(firmware=text), at)] if state.is_online else []
    return Outcome(events, replace(state, firmware=text))


def _health(subject: Subject, part: str, data: DeviceHealthData, at: Moment) -> DeviceHealth:
    return DeviceHealth(observed_at=at.wall, device=_name(subject, part), unit=_unit(subject, part), data=data)


def _observed(subject: Subject, reading: Reading, at: Moment) -> tuple[Moment, tuple[str, ...]]:
    """When the device says that it happened, where that can be; else when it was heard, and why."""
    name = subject.profile.observed_at
    told = reading.values.get(name) if name else None
    if told is None:
        return at, ()
    wall = datetime.fromisoformat(str(told))
    if not at.wall - MAX_AGE <= wall <= at.wall + MAX_AHEAD:
        # Said without the figure: it changes with each message, and each new fault is logged.
        return at, (f"{name}: the device's clock is wrong; the gateway's is used",)
    return at._replace(wall=min(wall, at.wall)), ()


def _part_of(subject: Subject, reading: Reading) -> str:
    name = subject.profile.part
    value = reading.values.get(name) if name else None
    return "" if value is None else str(value)


def _grown(subject: Subject, name: str, value: Scalar | None, counters: dict[str, float]) -> Scalar | None:
    """By how much a counter grew; None when it did not, or was never read before. A counter that fell was reset."""
    if not subject.profile.fields[name].increase or not _is_number(value):
        return value
    now = float(value or 0)
    before = counters.get(name)
    counters[name] = now
    if before is None:
        return None
    grown = now - before if now >= before else now
    return (int(grown) if grown.is_integer() else grown) or None


def _settle(subject: Subject, name: str, value: Scalar | None, known: Known | None, now_s: float) -> Known:
    """A field after one more reading of it."""
    debounce_s = subject.profile.fields[name].debounce_s
    if known is None:
        # The first value counts at once unless it must be debounced: then nothing is known before it held.
        return Known(None, now_s, (value, now_s)) if debounce_s else Known(value, now_s)
    if not debounce_s or value == known.value:
        return Known(value, now_s)
    if known.pending is not None and known.pending[0] == value:
        since_s = known.pending[1]
        return Known(value, now_s) if now_s - since_s >= debounce_s else replace(known, at_s=now_s)
    return Known(known.value, now_s, (value, now_s))


def _age(subject: Subject, name: str, known: Known, now_s: float) -> Known:
    spec = subject.profile.fields[name]
    if spec.stale_after_s is not None and known.value is not None and now_s - known.at_s > spec.stale_after_s:
        return Known(None, known.at_s, is_stale=True)
    if known.pending is not None and now_s - known.pending[1] >= spec.debounce_s:
        return Known(known.pending[0], known.at_s)
    return known


def _report(
    subject: Subject, part: str, known: PartState, touched: frozenset[str], at: Moment, *, is_new: bool
) -> tuple[list[KnownEvent], dict[int, Said], list[str]]:
    """The events of all rules, what each has said now, and why a rule could not be followed."""
    events: list[KnownEvent] = []
    said = dict(known.said)
    faults: list[str] = []
    values = {name: item.value for name, item in known.fields.items()}
    for index, rule in enumerate(subject.profile.events):
        names = {*rule.when, *rule.from_fields.values()}
        last = said.get(index)
        mode = subject.profile.mode_of(rule)
        if mode == "each" and not is_new:
            continue
        if not names & touched and (is_new or not _is_due(rule, last, at.monotonic_s)):
            continue
        seen = {name: values.get(name) for name in names & touched} if mode == "each" else values
        token = None if rule.once_per is None else values.get(rule.once_per)
        if rule.once_per is not None:
            # What stands in a register when the gateway starts is history; a message that comes is news.
            is_history = last is None and isinstance(subject.profile.transport, ModbusTransport)
            if token is None or (last is not None and last.token == token) or is_history:
                said.setdefault(index, Said((), at.monotonic_s, is_standing=False, token=token))
                continue
            said[index] = last = Said((), at.monotonic_s, is_standing=False, token=token)
        try:
            data = _data(rule, seen)
            if data is None:
                if last is not None:
                    said[index] = replace(last, is_standing=False)
                continue
            if rule.once_per is not None or _is_news(subject, rule, data, last, at.monotonic_s):
                events.append(event_of(_name(subject, part), _unit(subject, part), rule.kind, data, at.wall))
                said[index] = Said(tuple(data.items()), at.monotonic_s, is_standing=True, token=token)
            elif last is not None:
                said[index] = replace(last, is_standing=True)
        except TranslationError as error:
            faults.append(f"events.{index}: {error}")
    return events, said, faults


def _name(subject: Subject, part: str) -> str:
    return f"{subject.device_id}/{part}" if part else subject.device_id


def _unit(subject: Subject, part: str) -> str | None:
    return subject.part_units.get(part, subject.unit)


def _data(rule: EventRule, seen: Mapping[str, Scalar | None]) -> dict[str, Any] | None:
    """The event's data, or None when the rule's condition does not hold or a value it needs is missing."""
    for name, wanted in rule.when.items():
        if not matches(seen.get(name), wanted):
            return None
    data: dict[str, Any] = dict(rule.set_values)
    for key, name in rule.from_fields.items():
        value = seen.get(name)
        if value is not None:
            data[key] = value
    has_own = not rule.from_fields or any(key in data for key in rule.from_fields)
    return data if has_own and _is_complete(rule, data) else None


def _is_complete(rule: EventRule, data: Mapping[str, Any]) -> bool:
    return all(key in data for key, spec in wire_keys(rule.kind).items() if spec.is_required)


def _is_due(rule: EventRule, last: Said | None, now_s: float) -> bool:
    return bool(rule.repeat_s and last is not None and last.is_standing and now_s - last.at_s >= rule.repeat_s)


def _is_news(subject: Subject, rule: EventRule, data: dict[str, Any], last: Said | None, now_s: float) -> bool:
    if last is None or _is_due(rule, last, now_s):
        return True
    before, mode = dict(last.data), subject.profile.mode_of(rule)
    if mode == "rise":
        return not last.is_standing or before != data
    if mode == "each":
        return before != data or now_s - last.at_s >= rule.dedup_s or rule.dedup_s == 0
    if not last.is_standing:
        return True
    return any(_differs(subject, rule, key, before.get(key), data.get(key)) for key in {*before, *data})


def _differs(subject: Subject, rule: EventRule, key: str, old: Any, new: Any) -> bool:
    if new is None:
        return False
    if not _is_number(new):
        return bool(old != new)
    name = rule.from_fields.get(key)
    spec = subject.profile.fields.get(name) if name else None
    deadband = spec.deadband if spec is not None and spec.deadband is not None else DEADBANDS.get(key, 0.0)
    # A number that joins the others is news like any other change of it, unless no change of it is.
    change = float(abs(new - old)) if _is_number(old) else deadband
    return deadband != math.inf and change >= deadband and old != new


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
