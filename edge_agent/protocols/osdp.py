"""OSDP frames (IEC 60839-11-5): cut out of a byte stream, checked, named. libosdp speaks the protocol; this listens.

[FF mark] 53 ADDR LEN_L LEN_H CTRL [SCB: len type data…] CODE data… [MAC 4] CKSUM(1) | CRC16(2, low byte first)
ADDR bit 7 is set in replies. LEN counts from 53 to the last byte. CTRL: bits 0-1 sequence, 2 CRC, 3 security block.
"""

from dataclasses import dataclass
from typing import Final

from edge_agent.protocols.checksums import crc16_ccitt

SOM: Final = 0x53
BROADCAST: Final = 0x7F
MIN_FRAME: Final = 7
MAX_FRAME: Final = 1440
"""OSDP 2.2, 5.3: the largest message that a device may announce; a longer length is noise."""

COMMANDS: Final = {
    0x60: "POLL", 0x61: "ID", 0x62: "CAP", 0x64: "LSTAT", 0x65: "ISTAT", 0x66: "OSTAT", 0x67: "RSTAT", 0x68: "OUT",
    0x69: "LED", 0x6A: "BUZ", 0x6B: "TEXT", 0x6E: "COMSET", 0x75: "KEYSET", 0x76: "CHLNG", 0x77: "SCRYPT",
    0x7C: "FILETRANSFER", 0x80: "MFG",
}  # fmt: skip
REPLIES: Final = {
    0x40: "ACK", 0x41: "NAK", 0x45: "PDID", 0x46: "PDCAP", 0x48: "LSTATR", 0x49: "ISTATR", 0x4A: "OSTATR",
    0x4B: "RSTATR", 0x50: "RAW", 0x51: "FMT", 0x53: "KEYPAD", 0x54: "COM", 0x76: "CCRYPT", 0x78: "RMAC_I",
    0x79: "BUSY", 0x7A: "FTSTAT", 0x90: "MFGREP",
}  # fmt: skip
SECRET_CODES: Final = frozenset({0x50, 0x51, 0x53, 0x75})
"""RAW, FMT, KEYPAD and KEYSET carry card numbers, digits and keys: recordings blank their data."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose checksum is right."""

    address: int
    is_reply: bool
    sequence: int
    code: int
    data: bytes
    security: bytes
    """The security block without its length byte; empty in plain frames."""
    raw: bytes

    @property
    def name(self) -> str:
        """`POLL`, `RAW`, …; `0x85` for a code that the standard does not name."""
        return (REPLIES if self.is_reply else COMMANDS).get(self.code, f"0x{self.code:02X}")

    @property
    def is_encrypted(self) -> bool:
        """Whether the data are ciphertext (SCS_17, SCS_18)."""
        return self.security[:1] in (b"\x17", b"\x18")


@dataclass(frozen=True, slots=True)
class FrameError:
    """Line noise, or two devices at once: counted, the stream goes on."""

    reason: str
    address: int | None = None


class Framer:
    """Frames of a byte stream in which anything may happen. It never holds more than one frame's length."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame | FrameError]:
        """What these bytes complete, in order. Any chunking gives the same frames."""
        found: list[Frame | FrameError] = []
        self._buffer += data
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def idle(self) -> list[Frame | FrameError]:
        """Nothing more comes for now: what is held is no whole frame, but one may stand inside it."""
        found: list[Frame | FrameError] = []
        while self._buffer:
            del self._buffer[:1]
            found += [FrameError("cut off"), *self.feed(b"")]
        return found

    def _next(self) -> Frame | FrameError | None:
        buffer = self._buffer
        start = buffer.find(SOM)
        if start < 0:
            buffer.clear()
            return None
        del buffer[:start]
        if len(buffer) < 4:
            return None
        length = int.from_bytes(buffer[2:4], "little")
        if not MIN_FRAME <= length <= MAX_FRAME:
            del buffer[:1]
            return FrameError(f"length {length}")
        if len(buffer) < length:
            return None
        frame = parse(bytes(buffer[:length]))
        # After a broken frame the next start may stand inside it: only the first byte is given up.
        del buffer[: length if isinstance(frame, Frame) else 1]
        return frame


def parse(raw: bytes) -> Frame | FrameError:
    """One frame from its 53 to its last checksum byte."""
    if len(raw) < MIN_FRAME or raw[0] != SOM or int.from_bytes(raw[2:4], "little") != len(raw):
        return FrameError("not one whole frame")
    address, control = raw[1] & 0x7F, raw[4]
    if control & 0x04:
        body, is_ok = raw[:-2], int.from_bytes(raw[-2:], "little") == crc16_ccitt(raw[:-2], 0x1D0F)
    else:
        body, is_ok = raw[:-1], (sum(raw) & 0xFF) == 0
    if not is_ok:
        return FrameError("checksum", address)
    position, security = 5, b""
    if control & 0x08:
        size = body[5] if len(body) > 5 else 0
        if size < 2 or 5 + size >= len(body):
            return FrameError("security block", address)
        security, position = body[6 : 5 + size], 5 + size
    if position >= len(body):
        return FrameError("no code", address)
    tail = len(body) - 4 if security[:1] >= b"\x15" else len(body)
    if tail <= position:
        return FrameError("no room for the MAC", address)
    return Frame(address, bool(raw[1] & 0x80), control & 3, body[position], body[position + 1 : tail], security, raw)


def build(address: int, code: int, data: bytes = b"", *, sequence: int = 0, is_reply: bool = False) -> bytes:
    """A plain frame with CRC."""
    length = 8 + len(data)
    head = bytes([SOM, address | (0x80 if is_reply else 0), length & 0xFF, length >> 8, 0x04 | sequence, code])
    body = head + data
    return body + crc16_ccitt(body, 0x1D0F).to_bytes(2, "little")


def scrub(frame: Frame) -> bytes:
    """The frame as a recording may keep it: card numbers, digits and keys as zeros, the checksum right again."""
    if frame.code not in SECRET_CODES and not frame.is_encrypted:
        return frame.raw
    start = frame.raw.index(bytes([frame.code]) + frame.data, 5) + 1
    keep = 0 if frame.is_encrypted else {0x50: 4, 0x53: 2, 0x75: 2}.get(frame.code, 0)
    blank = frame.data[:keep].ljust(len(frame.data), b"\0")
    body = frame.raw[:start] + blank + frame.raw[start + len(blank) :]
    if frame.raw[4] & 0x04:
        return body[:-2] + crc16_ccitt(body[:-2], 0x1D0F).to_bytes(2, "little")
    return body[:-1] + bytes([-sum(body[:-1]) & 0xFF])
