"""The checksums that device messages carry: a closed list, each by its catalogue name."""

import zlib
from functools import lru_cache
from typing import Final


@lru_cache(maxsize=8)
def _table(width: int, polynomial: int, *, is_reflected: bool) -> tuple[int, ...]:
    top, mask = 1 << (width - 1), (1 << width) - 1
    table = []
    for byte in range(256):
        value = byte if is_reflected else byte << (width - 8)
        for _ in range(8):
            if is_reflected:
                value = (value >> 1) ^ polynomial if value & 1 else value >> 1
            else:
                value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return tuple(table)


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0x8005 reflected, start 0xFFFF."""
    table, crc = _table(16, 0xA001, is_reflected=True), 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


def crc16_ccitt(data: bytes, start: int) -> int:
    """CRC-16 with polynomial 0x1021, not reflected. Start 0xFFFF: CCITT-FALSE; 0: XMODEM; 0x1D0F: AUG-CCITT (OSDP)."""
    table, crc = _table(16, 0x1021, is_reflected=False), start
    for byte in data:
        crc = ((crc << 8) & 0xFFFF) ^ table[(crc >> 8) ^ byte]
    return crc


def _crc8(data: bytes) -> int:
    """CRC-8/SMBUS: polynomial 0x07, start 0."""
    table, crc = _table(8, 0x07, is_reflected=False), 0
    for byte in data:
        crc = table[crc ^ byte]
    return crc


def _xor8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


WIDTHS: Final = {
    "sum8": 1, "sum8-zero": 1, "xor8": 1, "crc8": 1, "crc16-modbus": 2, "crc16-ccitt-false": 2, "crc16-xmodem": 2,
    "crc16-aug-ccitt": 2, "crc32": 4,
}  # fmt: skip
"""Bytes of each checksum."""


def checksum(kind: str, data: bytes) -> int:
    """The checksum `kind` over `data`; `kind` is one of WIDTHS."""
    match kind:
        case "sum8":
            value = sum(data) & 0xFF
        case "sum8-zero":
            value = -sum(data) & 0xFF
        case "xor8":
            value = _xor8(data)
        case "crc8":
            value = _crc8(data)
        case "crc16-modbus":
            value = crc16_modbus(data)
        case "crc16-ccitt-false":
            value = crc16_ccitt(data, 0xFFFF)
        case "crc16-xmodem":
            value = crc16_ccitt(data, 0)
        case "crc16-aug-ccitt":
            value = crc16_ccitt(data, 0x1D0F)
        case _:
            value = zlib.crc32(data)
    return value
