"""Modbus: which registers to ask for, and RTU frames of recordings. pymodbus speaks the protocol on the line.

RTU  address(1) function(1) data… CRC16(2, low byte first); an exception has bit 7 of the function set and one code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.protocols.checksums import crc16_modbus
from edge_agent.protocols.fields import registers_of
from firmware_profiles.fields import SPACES
from firmware_profiles.model import Profile
from firmware_profiles.transports import ModbusTransport

FUNCTIONS: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_SPACE_OF: Final = {number: space for space, number in FUNCTIONS.items()}
EXCEPTIONS: Final = {
    1: "illegal function", 2: "illegal address", 3: "illegal value", 4: "device failure", 5: "acknowledge", 6: "busy",
    8: "memory parity", 10: "gateway path", 11: "gateway target",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """One request."""

    space: str
    address: int
    count: int


def plan_reads(profile: Profile) -> tuple[Read, ...]:
    """The fewest requests that cover a profile's fields, by its `max_read` and `max_gap`."""
    transport = profile.transport
    if not isinstance(transport, ModbusTransport):
        return ()
    reads: list[Read] = []
    for space in SPACES:
        spans = sorted(
            (getattr(spec, space) - transport.address_base + spec.step * number, registers_of(spec))
            for spec in profile.fields.values()
            if spec.space == space
            for number in range((profile.decoder.channels or 1) if spec.step else 1)
        )
        reads += _merged(space, spans, transport.max_gap, transport.max_read)
    return tuple(reads)


def _merged(space: str, spans: Iterable[tuple[int, int]], max_gap: int, max_read: int) -> list[Read]:
    reads: list[Read] = []
    for address, count in spans:
        last = reads[-1] if reads else None
        if last is not None and address <= last.address + last.count + max_gap:
            together = max(last.count, address + count - last.address)
            if together <= max_read:
                reads[-1] = Read(space, last.address, together)
                continue
        reads.append(Read(space, address, count))
    return reads


@dataclass(frozen=True, slots=True)
class RtuFrame:
    """One frame whose CRC is right."""

    address: int
    function: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FrameError:
    """A frame that is none, and why."""

    reason: str


def parse_rtu(raw: bytes) -> RtuFrame | FrameError:
    """One RTU frame."""
    if not 4 <= len(raw) <= 256:
        return FrameError(f"length: {len(raw)} bytes")
    if crc16_modbus(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        return FrameError("crc: the checksum is wrong")
    return RtuFrame(raw[0], raw[1], raw[2:-2])


def build_rtu(address: int, function: int, data: bytes) -> bytes:
    """A frame with its CRC."""
    body = bytes([address, function]) + data
    return body + crc16_modbus(body).to_bytes(2, "little")


def registers_in(frames: Sequence[bytes]) -> tuple[dict[tuple[str, int], int], str | None]:
    """The registers that requests and answers in turn tell, and the first fault among them."""
    registers: dict[tuple[str, int], int] = {}
    if len(frames) % 2:
        return registers, "frames: a request and its answer belong together"
    for request_raw, answer_raw in zip(frames[::2], frames[1::2], strict=True):
        request, answer = parse_rtu(request_raw), parse_rtu(answer_raw)
        if isinstance(request, FrameError):
            return registers, f"request {request.reason}"
        if isinstance(answer, FrameError):
            return registers, f"answer {answer.reason}"
        fault = _take_answer(request, answer, registers)
        if fault:
            return registers, fault
    return registers, None


def _take_answer(request: RtuFrame, answer: RtuFrame, registers: dict[tuple[str, int], int]) -> str | None:
    if answer.address != request.address:
        return f"address: {answer.address} answers for {request.address}"
    if answer.function == request.function | 0x80:
        code = answer.data[0] if answer.data else 0
        return f"exception: {code} ({EXCEPTIONS.get(code, 'unknown')})"
    space = _SPACE_OF.get(request.function)
    if answer.function != request.function or space is None or len(request.data) != 4:
        return f"function: {answer.function} answers {request.function}"
    start, count = int.from_bytes(request.data[:2], "big"), int.from_bytes(request.data[2:], "big")
    body = answer.data[1:]
    size = (count + 7) // 8 if space in ("coil", "discrete") else 2 * count
    if not answer.data or answer.data[0] != len(body) or len(body) != size:
        return f"length: {len(body)} bytes for {count} values"
    for index in range(count):
        if space in ("coil", "discrete"):
            registers[space, start + index] = body[index // 8] >> (index % 8) & 1
        else:
            registers[space, start + index] = int.from_bytes(body[2 * index : 2 * index + 2], "big")
    return None
