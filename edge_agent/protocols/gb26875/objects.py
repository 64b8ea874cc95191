"""Application data of GB/T 26875.3-2011, clause 8: typed objects, and what is unknown kept as it came.

type flag 1 | object count 1 | objects: body, mostly followed by a time tag of 6 bytes
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge_agent.protocols.gb26875.frame import decode_time_tag
from edge_agent.protocols.gb26875.names import (
    ANALOG_TYPES,
    COMPONENT_STATES,
    OPERATIONS,
    SYSTEM_STATES,
    TRANSMITTER_STATES,
    states,
)

_TIME: Final = 6
_NOTE: Final = 31


@dataclass(frozen=True, slots=True)
class SystemState:
    """8.2.1.1, type 1."""

    system_type: int
    system_address: int
    bits: int
    at: datetime | None

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the bits that are set."""
        return states(self.bits, SYSTEM_STATES)


@dataclass(frozen=True, slots=True)
class ComponentState:
    """8.2.1.2, type 2. The address is zone and position, low word first; some vendors use it as one number."""

    system_type: int
    system_address: int
    component_type: int
    zone: int
    position: int
    bits: int
    note: str
    at: datetime | None

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the bits that are set."""
        return states(self.bits, COMPONENT_STATES)

    @property
    def is_fire(self) -> bool:
        """Bit 1, whatever bit 0 says: devices leave bit 0 (normal/test) unset during real fires."""
        return bool(self.bits & 0b10)


@dataclass(frozen=True, slots=True)
class Analog:
    """8.2.1.3, type 3. `value` is in `unit` where table 6 names the type, else the raw number with an empty unit."""

    system_type: int
    system_address: int
    component_type: int
    zone: int
    position: int
    analog_type: int
    raw: int
    at: datetime | None

    @property
    def unit(self) -> str:
        """SI or trade unit of `value`."""
        known = ANALOG_TYPES.get(self.analog_type)
        return known.unit if known else ""

    @property
    def value(self) -> float:
        """The raw number times the step of its type."""
        known = ANALOG_TYPES.get(self.analog_type)
        return self.raw * known.step if known else float(self.raw)


@dataclass(frozen=True, slots=True)
class Operation:
    """8.2.1.4 and 8.2.1.9, types 4 and 24. The system is absent for the transmitter's own."""

    flags: int
    operator: int
    at: datetime | None
    system_type: int | None = None
    system_address: int | None = None

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the bits that are set."""
        return states(self.flags, OPERATIONS)


@dataclass(frozen=True, slots=True)
class Version:
    """8.2.1.5 and 8.2.1.10, types 5 and 25."""

    major: int
    minor: int
    system_type: int | None = None
    system_address: int | None = None


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """8.2.1.6 and 8.2.1.11, types 6 and 26."""

    text: str
    system_type: int | None = None
    system_address: int | None = None


@dataclass(frozen=True, slots=True)
class ComponentConfig:
    """8.2.1.7, type 7."""

    system_type: int
    system_address: int
    component_type: int
    zone: int
    position: int
    note: str


@dataclass(frozen=True, slots=True)
class SystemTime:
    """8.2.1.8 and 8.2.1.12, types 8 and 28."""

    at: datetime | None
    system_type: int | None = None
    system_address: int | None = None


@dataclass(frozen=True, slots=True)
class TransmitterState:
    """8.2.1.8, type 21: the transmitter itself."""

    bits: int
    at: datetime | None

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the bits that are set."""
        return states(self.bits, TRANSMITTER_STATES)


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Bytes that no clause explains (a vendor's own type, a request, a cut object): kept, with the reason."""

    reason: str
    data: bytes


AppObject = (
    SystemState
    | ComponentState
    | Analog
    | Operation
    | Version
    | SystemConfig
    | ComponentConfig
    | SystemTime
    | TransmitterState
    | Unparsed
)


@dataclass(frozen=True, slots=True)
class AppData:
    """A type flag and its objects. Objects that could be read stand before the one that could not."""

    type_flag: int
    objects: tuple[AppObject, ...]


class _Reader:
    """Takes fields off the front of the application data; running out raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise IndexError
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def numbers(self, form: str) -> tuple[int, ...]:
        layout = struct.Struct("<" + form)
        return layout.unpack(self.take(layout.size))

    def time(self) -> datetime | None:
        return decode_time_tag(self.take(_TIME))

    def note(self, count: int = _NOTE) -> str:
        return decode_note(self.take(count))


def decode_note(data: bytes) -> str:
    """GB18030 text padded with zeros or blanks; half a character, where the text was cut, becomes U+FFFD."""
    return data.split(b"\0", 1)[0].decode("gb18030", errors="replace").strip()


def encode_note(text: str, size: int = _NOTE) -> bytes:
    """GB18030 in `size` bytes, cut between characters and padded with zeros."""
    encoded = b""
    for character in text:
        piece = character.encode("gb18030")
        if len(encoded) + len(piece) > size:
            break
        encoded += piece
    return encoded.ljust(size, b"\0")


def _system_state(read: _Reader) -> SystemState:
    system_type, system_address, bits = read.numbers("BBH")
    return SystemState(system_type, system_address, bits, read.time())


def _component_state(read: _Reader) -> ComponentState:
    system_type, system_address, component_type, zone, position, bits = read.numbers("BBBHHH")
    return ComponentState(system_type, system_address, component_type, zone, position, bits, read.note(), read.time())


def _analog(read: _Reader) -> Analog:
    system_type, system_address, component_type, zone, position, analog_type, raw = read.numbers("BBBHHBh")
    return Analog(system_type, system_address, component_type, zone, position, analog_type, raw, read.time())


def _operation(read: _Reader) -> Operation:
    system_type, system_address, flags, operator = read.numbers("BBBB")
    return Operation(flags, operator, read.time(), system_type, system_address)


def _system_version(read: _Reader) -> Version:
    system_type, system_address, major, minor = read.numbers("BBBB")
    return Version(major, minor, system_type, system_address)


def _system_config(read: _Reader) -> SystemConfig:
    system_type, system_address, size = read.numbers("BBB")
    return SystemConfig(read.note(size), system_type, system_address)


def _component_config(read: _Reader) -> ComponentConfig:
    system_type, system_address, component_type, zone, position = read.numbers("BBBHH")
    return ComponentConfig(system_type, system_address, component_type, zone, position, read.note())


def _system_time(read: _Reader) -> SystemTime:
    system_type, system_address = read.numbers("BB")
    return SystemTime(read.time(), system_type, system_address)


def _transmitter_state(read: _Reader) -> TransmitterState:
    (bits,) = read.numbers("B")
    return TransmitterState(bits, read.time())


def _transmitter_operation(read: _Reader) -> Operation:
    flags, operator = read.numbers("BB")
    return Operation(flags, operator, read.time())


def _transmitter_version(read: _Reader) -> Version:
    major, minor = read.numbers("BB")
    return Version(major, minor)


def _transmitter_config(read: _Reader) -> SystemConfig:
    (size,) = read.numbers("B")
    return SystemConfig(read.note(size))


def _transmitter_time(read: _Reader) -> SystemTime:
    return SystemTime(read.time())


_PARSERS: Final[dict[int, Callable[[_Reader], AppObject]]] = {
    1: _system_state,
    2: _component_state,
    3: _analog,
    4: _operation,
    5: _system_version,
    6: _system_config,
    7: _component_config,
    8: _system_time,
    21: _transmitter_state,
    24: _transmitter_operation,
    25: _transmitter_version,
    26: _transmitter_config,
    28: _transmitter_time,
}


def decode_app_data(data: bytes) -> AppData | None:
    """The objects of a frame's application data; None for an empty one (a heartbeat or an acknowledgement).

    Never raises: what cannot be read comes last, as `Unparsed`.
    """
    if not data:
        return None
    if len(data) < 2:
        return AppData(data[0], (Unparsed("no object count", data[1:]),))
    return AppData(data[0], tuple(_objects(data[0], data[1], data[2:])))


def _objects(type_flag: int, count: int, body: bytes) -> Iterator[AppObject]:
    parser = _PARSERS.get(type_flag)
    if parser is None:
        yield Unparsed(f"type flag {type_flag} has no layout here", body)
        return
    read = _Reader(body)
    for index in range(count):
        start = read.at
        try:
            yield parser(read)
        except IndexError:
            yield Unparsed(f"object {index + 1} of {count} is cut off", body[start:])
            return
    if read.at < len(body):
        yield Unparsed(f"{len(body) - read.at} bytes behind the last of {count} objects", body[read.at :])
