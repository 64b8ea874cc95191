"""Card bits to a card's number, the way hubs, registries and printed cards write it.

26 bit (H10301)  E ffffffff cccccccccccccccc O          even parity over bits 1-12, odd over 13-24
34 bit           E ffffffffffffffff cccccccccccccccc O  even over 1-16, odd over 17-32
37 bit (H10304)  E ffffffffffffffff ccccccccccccccccccc O   even over bits 1-18, odd over 18-35 (they share bit 18)
24, 32 bit       the 3- and 4-byte numbers of Chinese readers, without parity
56, 80 bit …     a card's UID, a plain number
"""

from dataclasses import dataclass
from typing import Final

_PARITIES: Final = {
    26: (slice(0, 13), slice(13, 26)),
    34: (slice(0, 17), slice(17, 34)),
    37: (slice(0, 19), slice(18, 37)),
}
"""Bits with even and with odd parity, the parity bits among them."""

MIN_BITS: Final = 8
MAX_BITS: Final = 512


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader read off a card."""

    number: int
    """The bits between the parities as one number: facility and card number together."""
    bits: int
    is_parity_ok: bool
    """False: a misread. It is counted and opens nothing."""


def bits_of(data: bytes, count: int) -> str:
    """The first `count` bits of left-justified data, as OSDP sends them. Raises ValueError when there are fewer."""
    if not 0 < count <= 8 * len(data):
        raise ValueError(f"{count} bits in {len(data)} bytes")
    return bin(int.from_bytes(data, "big") | 1 << 8 * len(data))[3 : 3 + count]


def decode_card(data: bytes, count: int, *, is_raw: bool = False, byte_order: str = "big") -> Card | None:
    """The card in left-justified bits; None when their number is no card's.

    `is_raw`: the bits are a number, whatever their count. `byte_order` little: whole bytes were sent reversed.
    """
    if not MIN_BITS <= count <= MAX_BITS or count > 8 * len(data):
        return None
    bits = bits_of(data, count)
    parities = None if is_raw else _PARITIES.get(count)
    body = bits[1:-1] if parities else bits
    is_ok = parities is None or (bits[parities[0]].count("1") % 2 == 0 and bits[parities[1]].count("1") % 2 == 1)
    number = int(body, 2)
    if byte_order == "little" and len(body) % 8 == 0:
        number = int.from_bytes(number.to_bytes(len(body) // 8, "big"), "little")
    return Card(number, count, is_ok)


def encode_card(number: int, count: int) -> bytes:
    """Left-justified bits of a card: the inverse of `decode_card` for 26, 34 and 37 bits; others have no parity."""
    parities = _PARITIES.get(count)
    if parities is None:
        bits = f"{number:0{count}b}"
    else:
        body = f"0{number:0{count - 2}b}0"
        even = str(body[parities[0]].count("1") % 2)
        odd = str(1 - body[parities[1]].count("1") % 2)
        bits = f"{even}{body[1:-1]}{odd}"
    if len(bits) != count:
        raise ValueError(f"card number {number} does not fit {count} bits")
    size = (count + 7) // 8
    return int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")
