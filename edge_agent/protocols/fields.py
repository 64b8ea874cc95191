"""Reads a profile's fields out of a message: the one place where bits become values."""

import math
import struct
from collections.abc import Mapping
from typing import Any, Final

from edge_agent.protocols.instants import instant_of
from edge_agent.protocols.message import ABSENT, Hasher, Message, Reading
from edge_agent.protocols.payload import Payload, decode, payload_of, value_at
from firmware_profiles.base import Scalar, key_of, matches
from firmware_profiles.fields import SIZES, SPACES, FieldSpec
from firmware_profiles.model import Profile
from firmware_profiles.transports import ModbusTransport, MqttTransport
from wire.ids import canonical_card

MAX_TEXT: Final = 256
_TRUE: Final = ("true", "on", "yes", "1")
_FALSE: Final = ("false", "off", "no", "0")


class _Unread(Exception):  # noqa: N818  # a signal inside this module, never seen outside
    """A value that is there but cannot be read."""


def read_fields(profile: Profile, message: Message, hasher: Hasher) -> Reading:
    """The values that a message gives by a profile. A field that the message does not speak of is absent."""
    payload = payload_of(message, profile.decoder)
    faults = [] if payload.fault is None else [payload.fault]
    if _should_be_json(profile, message):
        faults.append("payload: not JSON")
    base = profile.transport.address_base if isinstance(profile.transport, ModbusTransport) else 0
    values: dict[str, Scalar | None] = {}
    for name, spec in profile.fields.items():
        if spec.of is not None and spec.of != message.channel:
            continue
        if any(not matches(values.get(other), wanted) for other, wanted in spec.only_if.items()):
            continue
        try:
            raw = _raw(spec, message, payload, base)
            if raw is ABSENT:
                continue
            values[name] = _meaning(spec, raw, hasher, spec.bit_step * message.number)
        except _Unread as unread:
            faults.append(f"{name}: {unread}")
    return Reading(values, tuple(faults), message.is_old)


def _should_be_json(profile: Profile, message: Message) -> bool:
    """Whether a profile speaks of JSON and the message is none, though no field reads it as text."""
    transport = profile.transport
    is_json = isinstance(transport, MqttTransport) and transport.payload == "json"
    if not is_json or message.json is not ABSENT or message.text is None:
        return False
    return not any(spec.text and spec.of == message.channel for spec in profile.fields.values())


def registers_of(spec: FieldSpec) -> int:
    """How many registers (or bits) of its space a Modbus field takes."""
    if spec.space in ("coil", "discrete"):
        return 1
    size = spec.length if spec.length is not None else SIZES.get(spec.type or "uint16", 2)
    return (size + 1) // 2


def _raw(spec: FieldSpec, message: Message, payload: Payload, base: int) -> Any:
    """The value as it stands in the message, or ABSENT."""
    location = spec.location
    if location in SPACES:
        address = getattr(spec, location) - base + spec.step * message.number
        return _register_value(spec, message.registers, address)
    if location in ("at", "tag"):
        return _byte_value(spec, payload, spec.step * message.number)
    if location == "item":
        return message.items.get(spec.item or "", ABSENT)
    return _text_value(spec, _found(spec, message, payload))


def _found(spec: FieldSpec, message: Message, payload: Payload) -> Any:
    """What stands at a place of text or JSON, or ABSENT."""
    if spec.json_path is not None:
        return ABSENT if message.json is ABSENT else value_at(message, spec.json_path)
    if spec.text:
        return ABSENT if message.text is None else message.text
    if spec.column is not None:
        column = spec.column + spec.step * message.number if isinstance(spec.column, int) else spec.column
        return ABSENT if payload.columns is None else payload.columns.get(column, ABSENT)
    levels = message.topic.split("/")
    level = spec.topic_level or 0
    return levels[level] if -len(levels) <= level < len(levels) else ABSENT


def _text_value(spec: FieldSpec, found: Any) -> Any:
    """What a text or JSON value says: behind its prefix, out of its encoding, as the type that is asked for."""
    if found is ABSENT or found is None:
        return found
    if spec.contains is not None:
        words = found.split(",") if isinstance(found, str) else found if isinstance(found, list) else [found]
        return any(_is_word(word, spec.contains) for word in words)
    if spec.prefix is not None or spec.suffix is not None:
        found = _between(spec.prefix or "", found, spec.suffix or "")
        if found is ABSENT:
            return ABSENT
    if spec.encoding is not None:
        data, fault = decode(found, spec.encoding)
        if data is None:
            raise _Unread(str(fault))
        return _byte_at(spec, data)
    if spec.type == "bool" and not isinstance(found, bool):
        return _truth(found)
    return found


def _between(prefix: str, found: Any, suffix: str) -> Any:
    """The text between the two; ABSENT for what does not begin and end so."""
    if not isinstance(found, str) or len(found) < len(prefix) + len(suffix):
        return ABSENT
    if not found.startswith(prefix) or not found.endswith(suffix):
        return ABSENT
    return found.removeprefix(prefix).removesuffix(suffix).strip()


def _is_word(word: Any, wanted: Scalar) -> bool:
    plain = word.strip() if isinstance(word, str) else word
    return isinstance(plain, bool | int | float | str) and key_of(plain) == key_of(wanted)


def _truth(found: Any) -> bool:
    word = str(found).strip().lower() if isinstance(found, str | int) else ""
    if word not in _TRUE and word not in _FALSE:
        raise _Unread(f"{found!r} is neither true nor false; give the field an enum")
    return word in _TRUE


def _register_value(spec: FieldSpec, registers: Mapping[tuple[str, int], int], address: int) -> Any:
    space, count = str(spec.space), registers_of(spec)
    words = [registers.get((space, address + index)) for index in range(count)]
    if all(word is None for word in words):
        return ABSENT
    if any(word is None for word in words):
        raise _Unread(f"{space} {address}: {count} registers expected, some are missing")
    known = [word for word in words if word is not None]
    if space in ("coil", "discrete"):
        return bool(known[0])
    if spec.word_order == "little":
        known.reverse()
    return _number(spec, b"".join(word.to_bytes(2, spec.byte_order) for word in known), "uint16", order="big")


def _byte_value(spec: FieldSpec, payload: Payload, further: int) -> Any:
    data = payload.data
    if spec.tag is not None:
        data = (payload.records or {}).get(spec.tag)
    return ABSENT if data is None else _byte_at(spec, data, further)


def _byte_at(spec: FieldSpec, data: bytes, further: int = 0) -> Any:
    size = spec.length or SIZES.get(spec.type or "uint8", 1)
    start = spec.at or 0
    start = (start if start >= 0 else len(data) + start) + further
    if further and start + size > len(data):
        return ABSENT  # as many records as there are: `channels` is the most
    if start < 0 or start + size > len(data):
        raise _Unread(f"length: byte {start} to {start + size} of a message of {len(data)}")
    return _number(spec, data[start : start + size], "uint8", order=spec.byte_order)


def _number(spec: FieldSpec, data: bytes, default: str, order: str) -> Any:
    """Bytes as the field's type; `order` is that of the bytes, words are in order already."""
    kind = spec.type or default
    big = data if order == "big" else data[::-1]
    value: Any
    match kind:
        case "ascii" | "utf8" | "gb18030":
            value = data.split(b"\0", 1)[0].decode(kind, errors="replace").strip()[:MAX_TEXT]
        case "hex":
            value = data.hex()
        case "bcd":
            if not big.hex().isdecimal():
                raise _Unread(f"{big.hex()} is not BCD")
            value = int(big.hex())
        case "float32" | "float64":
            value = struct.unpack(">f" if kind == "float32" else ">d", big)[0]
            value = value if math.isfinite(value) else None
        case "bool":
            value = any(data)
        case _:
            value = int.from_bytes(big[-SIZES.get(kind, len(big)) :], "big", signed=kind.startswith("int"))
    return value


def _meaning(spec: FieldSpec, raw: Any, hasher: Hasher, bits: int = 0) -> Scalar | None:
    """What a raw value means: bits, sentinel, table, scale, threshold, in this order."""
    if raw is None:
        return None
    if not isinstance(raw, bool | int | float | str):
        raise _Unread(f"a {type(raw).__name__} is not a single value")
    value: Scalar = raw[:MAX_TEXT] if isinstance(raw, str) else raw
    if spec.missing and _is_missing(spec, value):
        return None
    if spec.time is not None:
        try:
            return instant_of(value, spec.time, spec.utc_offset_h)
        except ValueError as error:
            raise _Unread(f"time: {error}") from error
    if spec.bit is not None or spec.mask is not None:
        value = _bits(spec, value, bits)
    if spec.hash is not None:
        return _hashed(spec.hash, value, hasher)
    if spec.enum is not None:
        return _listed(spec, value)
    if spec.scale is not None or spec.offset is not None or spec.type == "number":
        scaled = _as_number(value) * (1 if spec.scale is None else spec.scale) + (spec.offset or 0)
        value = round(scaled, 9)
        if value.is_integer() and spec.scale is None and spec.type == "number":
            value = int(value)
    if spec.clamp is not None:
        value = min(max(_as_number(value), spec.clamp[0]), spec.clamp[1])
    if spec.at_least is not None or spec.at_most is not None:
        number = _as_number(value)
        value = (spec.at_least is None or number >= spec.at_least) and (spec.at_most is None or number <= spec.at_most)
    return _inverted(value) if spec.invert else value


def _is_missing(spec: FieldSpec, value: Scalar) -> bool:
    """Manuals write the sentinel of a signed value as they please: -32768 or 0x8000."""
    missing = [item for item in spec.missing if item is not None]
    if isinstance(value, int) and value < 0 and spec.type in SIZES:
        return matches(value, missing) or matches(value + (1 << 8 * SIZES[spec.type]), missing)
    return matches(value, missing)


def _bits(spec: FieldSpec, value: Scalar, further: int = 0) -> Scalar:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unread(f"{value!r} has no bits")
    if spec.bit is not None:
        return bool(value >> spec.bit + further & 1)
    value >>= further
    mask = spec.mask or 0
    shift = (mask & -mask).bit_length() - 1
    found = (value & mask) >> shift
    width = (mask >> shift).bit_length()
    return found - (1 << width) if spec.signed and found >> (width - 1) else found


def _listed(spec: FieldSpec, value: Scalar) -> Scalar | None:
    table = spec.enum or {}
    key = key_of(value)
    if key not in table and isinstance(value, str) and value.isascii() and value.isdecimal():
        # YAML takes 0775 for a number: a code of digits is the same with and without its noughts.
        key = str(int(value))
    if key in table:
        meaning = table[key]
    elif spec.has_otherwise:
        meaning = spec.otherwise
    else:
        raise _Unread(f"{value!r} is not listed in enum")
    return _inverted(meaning) if spec.invert and meaning is not None else meaning


def _as_number(value: Scalar) -> float:
    try:
        number = float(value)
    except ValueError as error:
        raise _Unread(f"{value!r} is not a number; give the field `suffix`, `missing` or an enum") from error
    if not math.isfinite(number):
        raise _Unread(f"{value!r} is not a finite number")
    return number


def _inverted(value: Scalar) -> bool:
    if isinstance(value, bool | int):
        return not value
    raise _Unread(f"{value!r} cannot be inverted; give the field an enum")


def _hashed(kind: str, value: Scalar, hasher: Hasher) -> str | None:
    """The reference of a credential; its number goes no further than here, not even into the fault."""
    if isinstance(value, bool | float):
        raise _Unread("a credential is a number or text")
    if kind == "pin":
        return hasher(kind, str(value))
    try:
        return hasher(kind, canonical_card(str(value)))
    except ValueError as error:
        raise _Unread("the card number is neither decimal, 'facility,number' nor hex") from error
