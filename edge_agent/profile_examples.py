"""Runs the examples inside a profile through the same codecs as the drivers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from edge_agent.interpret import DeviceState, Moment, Subject, interpret, tick
from edge_agent.protocols import modbus, osdp
from edge_agent.protocols.fields import read_fields
from edge_agent.protocols.gb26875.frame import Frame as GbFrame
from edge_agent.protocols.gb26875.frame import Framer as GbFramer
from edge_agent.protocols.gb26875_items import messages_of as gb_messages_of
from edge_agent.protocols.message import ABSENT, Message, Reading
from edge_agent.protocols.osdp_items import message_of as osdp_message_of
from edge_agent.protocols.payload import split
from firmware_profiles.base import Scalar
from firmware_profiles.model import Example, ExampleInput, Profile
from firmware_profiles.transports import Gb26875Transport, ModbusTransport, OsdpTransport
from wire.ids import credential_ref

EXAMPLE_KEY: Final = b"anfang-example-key"
"""The organisation key of examples: `anfang-agent profile explain` prints references under it."""

_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExampleFault:
    """An example that does not come true: which, and what came instead."""

    index: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an example's input."""

    values: dict[str, Scalar | None]
    events: list[tuple[str, dict[str, Any]]]
    faults: list[str]


def example_hasher(kind: str, canonical: str) -> str | None:
    """References under the key of examples."""
    return credential_ref(EXAMPLE_KEY, kind, canonical)


def check_examples(profile: Profile) -> Iterator[ExampleFault]:
    """The examples of a profile that do not come true."""
    for index, example in enumerate(profile.examples):
        for reason in _failures(example, tell(profile, example)):
            yield ExampleFault(index, example.name, reason)


def tell(profile: Profile, example: Example) -> Told:
    """What an example's input gives, after what stands in `before`."""
    subject = Subject("example", profile)
    state, now_s = DeviceState(is_online=True), 0.0
    values: dict[str, Scalar | None] = {}
    events: list[tuple[str, dict[str, Any]]] = []
    faults: list[str] = []
    for is_last, given in [*((False, item) for item in example.before), (True, example.input)]:
        messages, wrong = messages_of(profile, given)
        faults += wrong if is_last else []
        for message in messages:
            reading: Reading = read_fields(profile, message, example_hasher)
            outcome = interpret(subject, state, reading, Moment(heard_at(profile, reading, _AT), now_s))
            later = tick(subject, outcome.state, Moment(_AT, now_s + 1e-6))
            # What must be debounced has held for as long as it must.
            now_s += max((spec.debounce_s for spec in profile.fields.values()), default=0.0)
            held = tick(subject, later.state, Moment(_AT, now_s))
            state = held.state
            now_s += 1.0
            if is_last:
                values |= reading.values
                faults += [*outcome.faults, *held.faults]
                said = (*outcome.events, *later.events, *held.events)
                events += [(event.kind, _plain(event.data)) for event in said]
    return Told(values, events, faults)


def heard_at(profile: Profile, reading: Reading, otherwise: datetime) -> datetime:
    """An example or a recording plays at the instant that its device names, if it does."""
    told = reading.values.get(profile.observed_at) if profile.observed_at else None
    return otherwise if told is None else datetime.fromisoformat(str(told))


def messages_of(profile: Profile, given: ExampleInput) -> tuple[list[Message], list[str]]:
    """The messages that an example's input stands for, and the faults of its frames."""
    transport = profile.transport
    if given.frames is not None:
        raw = [bytes.fromhex(frame) for frame in given.frames]
        if isinstance(transport, ModbusTransport):
            registers, fault = modbus.registers_in(raw)
            return ([Message(registers=registers)], []) if fault is None else ([], [fault])
        if isinstance(transport, OsdpTransport):
            return _osdp_messages(raw, transport)
        if isinstance(transport, Gb26875Transport):
            return _gb_messages(raw, transport)
        return [], [f"frames: a {transport.kind} device has none; give json, text or hex"]
    registers = {
        (space, int(address)): int(value)
        for space in ("coil", "discrete", "input", "holding")
        for address, value in getattr(given, space).items()
    }
    if isinstance(transport, ModbusTransport) and not registers:
        return [], ["registers: none were read"]
    message = Message(
        registers=registers,
        data=bytes.fromhex(given.hex) if given.hex is not None else None,
        json=given.json_body if "json_body" in given.model_fields_set else ABSENT,
        text=given.text,
        items=given.items,
        channel=given.topic or "",
    )
    messages, fault = split(message, profile.decoder)
    return messages, [] if fault is None else [fault]


def _osdp_messages(raw: list[bytes], transport: OsdpTransport) -> tuple[list[Message], list[str]]:
    messages, faults = [], []
    for data in raw:
        for frame in osdp.Framer().feed(data) or [osdp.FrameError("frame: not whole")]:
            if isinstance(frame, osdp.FrameError):
                faults.append(f"frame: {frame.reason}")
            elif (message := osdp_message_of(frame, transport)) is not None:
                messages.append(message)
    return messages, faults


def _gb_messages(raw: list[bytes], transport: Gb26875Transport) -> tuple[list[Message], list[str]]:
    messages, faults = [], []
    for data in raw:
        framer = GbFramer()
        found = [*framer.feed(data), *framer.idle()]
        for frame in found:
            if isinstance(frame, GbFrame):
                more, wrong = gb_messages_of(frame, transport)
                messages += more
                faults += wrong
            else:
                faults.append(f"frame: {frame.reason}")
        if not found:
            faults.append("frame: none in these bytes")
    return messages, faults


def _failures(example: Example, told: Told) -> Iterator[str]:
    if example.fails is not None:
        if not told.faults:
            yield f"must fail with {example.fails!r}, but gives {told.values}"
        elif not any(example.fails.lower() in fault.lower() for fault in told.faults):
            yield f"must fail with {example.fails!r}, but fails with {'; '.join(told.faults)}"
        return
    if told.faults:
        yield f"fails: {'; '.join(told.faults)}"
    for name, wanted in (example.fields or {}).items():
        got = told.values.get(name)
        if not _same(got, wanted):
            yield f"field {name} is {got!r}, not {wanted!r}"
    if example.events is not None:
        wanted_events: list[tuple[str, dict[str, Any]]] = [pair for event in example.events for pair in event.items()]
        if len(wanted_events) != len(told.events) or not all(
            kind == wanted_kind and _covers(data, wanted_data)
            for (kind, data), (wanted_kind, wanted_data) in zip(told.events, wanted_events, strict=True)
        ):
            yield f"events are {_shown(told.events)}, not {_shown(wanted_events)}"


def _covers(data: Any, wanted: Any) -> bool:
    """Whether what the example names is there; keys that it does not name are free."""
    if isinstance(wanted, dict):
        return isinstance(data, dict) and all(_covers(data.get(key), value) for key, value in wanted.items())
    return _same(data, wanted)


def _same(got: Any, wanted: Any) -> bool:
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return abs(got - wanted) <= 1e-6 * max(1.0, abs(wanted))
    return bool(got == wanted)


def _plain(data: msgspec.Struct) -> dict[str, Any]:
    """An event's data with the defaults that the wire leaves out, so that an example may name them."""
    return {
        name: _plain(value) if isinstance(value, msgspec.Struct) else value
        for name, value in msgspec.structs.asdict(data).items()
        if value is not None
    }


def _shown(events: list[tuple[str, dict[str, Any]]]) -> str:
    return "[" + ", ".join(f"{kind}: {data}" for kind, data in events) + "]"
