"""Frames of GB/T 26875.3-2011, clause 6.6: bytes to frames and back. Multi-byte integers are little-endian.

    @@ | serial 2 | major 1 user 1 | time tag 6 | source 6 | destination 6 | length 2 | command 1 | data | sum 1 | ##
       ^------------------------ the checksum is the sum of these bytes, modulo 256 ----------------------^

A frame is found by its length, never by searching for the tail: `@@` and `##` occur inside data.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import Final

CHINA_TIME: Final = timezone(timedelta(hours=8))
"""Time tags carry no zone; they are Beijing time."""

HEAD: Final = b"@@"
TAIL: Final = b"##"
MAX_APP_DATA: Final = 1024
_HEADER: Final = struct.Struct("<2sHBB6s6s6sHB")  # 27 bytes, up to and with the command
_OVERHEAD: Final = _HEADER.size + 3
_SAMPLE_BYTES: Final = 64


class Command(IntEnum):
    """Table 2. 128 to 255 are the vendors' own and come as plain integers."""

    CONTROL = 1
    SEND = 2
    CONFIRM = 3
    REQUEST = 4
    ANSWER = 5
    DENY = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. Addresses are the six bytes as an unsigned integer; `at` is None where the tag is no date."""

    serial: int
    command: int
    app_data: bytes = b""
    source: int = 0
    destination: int = 0
    at: datetime | None = None
    version: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class FrameError:
    """Line noise or a broken frame. The stream goes on behind it."""

    reason: str
    sample: bytes


def decode_time_tag(tag: bytes) -> datetime | None:
    """Second, minute, hour, day, month, two-digit year (6 bytes) in Beijing time; None for what is no date."""
    second, minute, hour, day, month, year = tag
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=CHINA_TIME)
    except ValueError:
        return None


def encode_time_tag(at: datetime | None, *, is_bcd: bool = False) -> bytes:
    """The inverse of `decode_time_tag`; None becomes six zeros. Raises ValueError outside 2000 to 2099.

    `is_bcd`: each byte as two decimal digits, which some vendors take the standard to mean.
    """
    if at is None:
        return bytes(6)
    if at.tzinfo is None:
        raise ValueError(f"time tag {at!r} has no time zone")
    local = at.astimezone(CHINA_TIME)
    if not 2000 <= local.year <= 2099:
        raise ValueError(f"time tag {local.isoformat()}: two digits hold the years 2000 to 2099")
    parts = (local.second, local.minute, local.hour, local.day, local.month, local.year - 2000)
    return bytes(part // 10 << 4 | part % 10 if is_bcd else part for part in parts)


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame. Raises ValueError when a field does not fit."""
    if len(frame.app_data) > MAX_APP_DATA:
        raise ValueError(f"application data of {len(frame.app_data)} bytes is over {MAX_APP_DATA}")
    try:
        head = _HEADER.pack(
            HEAD,
            frame.serial,
            *frame.version,
            encode_time_tag(frame.at),
            frame.source.to_bytes(6, "little"),
            frame.destination.to_bytes(6, "little"),
            len(frame.app_data),
            frame.command,
        )
    except (struct.error, OverflowError) as error:
        raise ValueError(f"frame {frame.serial}: a field does not fit: {error}") from error
    body = head + frame.app_data
    return body + bytes([sum(body[2:]) & 0xFF]) + TAIL


def answer_to(frame: Frame, command: Command, at: datetime, app_data: bytes = b"") -> Frame:
    """A frame back to the sender: same serial and version, addresses exchanged (clause 6.7: confirm, answer, deny)."""
    return Frame(
        serial=frame.serial,
        command=command,
        app_data=app_data,
        source=frame.destination,
        destination=frame.source,
        at=at,
        version=frame.version,
    )


class Framer:
    """Cuts a byte stream into frames. Its buffer never holds more than one frame's length plus what was just fed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.noise_bytes = 0

    def feed(self, data: bytes) -> Iterator[Frame | FrameError]:
        """Take `data`, in any chunking, and give the frames that are complete and the errors met on the way."""
        self._buffer += data
        while (found := self._next()) is not None:
            yield found

    def idle(self) -> Iterator[Frame | FrameError]:
        """The line has been silent for longer than a frame takes: a head that still waits for its end was a false one.

        Without this a `@@` in noise, with a long length behind it, would hold back the fire frame that follows.
        """
        while len(self._buffer) >= len(HEAD):
            yield self._broken("the line fell silent inside a frame")
            while (found := self._next()) is not None:
                yield found

    def _next(self) -> Frame | FrameError | None:
        """One frame or error off the front of the buffer; None when more bytes are needed."""
        buffer = self._buffer
        start = buffer.find(HEAD)
        if start < 0:
            # A single @ at the end may be the first half of a head.
            self._skip(len(buffer) - (1 if buffer[-1:] == HEAD[:1] else 0))
            return None
        self._skip(start)
        if len(buffer) < _HEADER.size:
            return None
        _, serial, major, user, tag, source, destination, length, command = _HEADER.unpack_from(buffer)
        size = _OVERHEAD + length
        if length <= MAX_APP_DATA and len(buffer) < size:
            return None
        if fault := _fault(buffer, length):
            return self._broken(fault)
        frame = Frame(
            serial=serial,
            command=command,
            app_data=bytes(buffer[_HEADER.size : size - 3]),
            source=int.from_bytes(source, "little"),
            destination=int.from_bytes(destination, "little"),
            at=decode_time_tag(tag),
            version=(major, user),
        )
        del buffer[:size]
        return frame

    def _broken(self, reason: str) -> FrameError:
        """Give up one byte only: a true head may stand right behind a false one."""
        error = FrameError(reason, bytes(self._buffer[:_SAMPLE_BYTES]))
        self._skip(1)
        return error

    def _skip(self, count: int) -> None:
        self.noise_bytes += count
        del self._buffer[:count]


def _fault(buffer: bytearray, length: int) -> str | None:
    """What is wrong with the frame at the front of `buffer`, whose header says `length`; None for a good one."""
    if length > MAX_APP_DATA:
        return f"length {length} is over {MAX_APP_DATA}"
    size = _OVERHEAD + length
    if buffer[size - 2 : size] != TAIL:
        return "no ## where the length says the frame ends"
    checksum = sum(buffer[2 : size - 3]) & 0xFF
    if checksum != buffer[size - 3]:
        return f"checksum {buffer[size - 3]:02X}, computed {checksum:02X}"
    return None
