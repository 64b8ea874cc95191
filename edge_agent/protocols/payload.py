"""The bytes of a message: taken out of their envelope, checked, cut into records. Faults are returned, not raised."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from edge_agent.protocols.checksums import WIDTHS, checksum
from edge_agent.protocols.message import ABSENT, Message
from firmware_profiles.base import Step, Where, below_root, key_of, steps_of
from firmware_profiles.checks import CHANNEL
from firmware_profiles.transports import Checksum, Decoder, Tlv

MAX_ELEMENTS: Final = 512
"""Messages in one, where a profile says `each`."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The checked bytes of a message, or why there are none."""

    data: bytes | None = None
    records: Mapping[str, bytes] | None = None
    """TLV: tag as hex -> value; of a tag that comes twice the later."""
    columns: Mapping[int | str, str] | None = None
    """Parts of a text by their place, from 0 and from -1 backwards, and by their name."""
    fault: str | None = None


def payload_of(message: Message, decoder: Decoder) -> Payload:
    """What stands in a message, by the profile's decoder."""
    if decoder.separator is not None and message.text is not None:
        return Payload(columns=_columns(message.text, decoder))
    return _bytes_of(message, decoder)


def _bytes_of(message: Message, decoder: Decoder) -> Payload:
    data = message.data
    if decoder.json_path is not None and message.json is not ABSENT:
        found = value_at(message, decoder.json_path)
        if found is ABSENT or found is None:
            return Payload()
        data, fault = decode(found, decoder.encoding or "base64")
        if fault:
            return Payload(fault=fault)
    if data is None:
        return Payload()
    fault = _fault(data, decoder)
    if fault:
        return Payload(fault=fault)
    if decoder.tlv is None:
        return Payload(data)
    body = data[: decoder.checksum.at] if decoder.checksum and decoder.checksum.at < 0 else data
    records, fault = _records(body, decoder.tlv)
    return Payload(data, records, fault=fault)


def split(message: Message, decoder: Decoder) -> tuple[list[Message], str | None]:
    """The messages in one: the elements of the array that `each` names, and of each of those its channels."""
    messages, fault = [message], None
    found = ABSENT if decoder.each is None or message.json is ABSENT else value_at(message, decoder.each)
    if isinstance(found, list):
        fault = f"each: more than {MAX_ELEMENTS} elements" if len(found) > MAX_ELEMENTS else None
        messages = [replace(message, json=item, whole=message.json) for item in found[:MAX_ELEMENTS]]
    if decoder.channels is not None:
        messages = [
            replace(item, items={**item.items, CHANNEL: number + 1}, number=number)
            for item in messages
            for number in range(decoder.channels)
        ]
    return messages, fault


def is_of(message: Message, path: str | list[str | int] | None, address: str) -> bool:
    """Whether a message is of the device with this address: always, where no path says who a message is of."""
    if path is None or message.json is ABSENT:
        return True
    found = value_at(message, path)
    return isinstance(found, bool | int | float | str) and key_of(found).lower() == address.lower()


def value_at(message: Message, path: str | list[str | int]) -> Any:
    """The value at a path of a message's JSON; from `$` on that of the whole message."""
    whole = message.json if message.whole is ABSENT else message.whole
    if isinstance(path, str) and (below := below_root(path)) != path:
        return walk(whole, below)
    return walk(message.json, path)


def walk(value: Any, path: str | list[str | int]) -> Any:
    """The value at a path (see `steps_of`, or a list of steps) of a JSON value; ABSENT when there is none."""
    steps: Sequence[Step] = steps_of(path) if isinstance(path, str) else path
    for step in steps:
        match step:
            case Where():
                items = value if isinstance(value, list) else []
                value = next((item for item in items if _is_at(item, step)), ABSENT)
            case str():
                value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
            case int():
                is_there = isinstance(value, list) and -len(value) <= step < len(value)
                value = value[step] if is_there else ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def _is_at(item: Any, where: Where) -> bool:
    found = item.get(where.key) if isinstance(item, dict) else None
    return isinstance(found, bool | int | float | str) and key_of(found) == where.value


def _columns(text: str, decoder: Decoder) -> dict[int | str, str]:
    parts = [part.strip() for part in text.split(decoder.separator)]
    columns: dict[int | str, str] = dict(enumerate(parts))
    columns |= {index - len(parts): part for index, part in enumerate(parts)}
    if decoder.pairs is not None:
        named = [part.partition(decoder.pairs) for part in parts]
        columns |= {name.strip(): value.strip() for name, sign, value in named if sign}
    return columns


def decode(found: Any, encoding: str) -> tuple[bytes | None, str | None]:
    """The bytes that a text stands for (`hex`, with or without 0x, or `base64`), or why there are none."""
    if not isinstance(found, str):
        return None, f"payload: {encoding} text expected"
    try:
        if encoding == "base64":
            return base64.b64decode(found, validate=True), None
        return bytes.fromhex(found.replace(":", " ").removeprefix("0x").removeprefix("0X")), None
    except (binascii.Error, ValueError):
        return None, f"payload: not {encoding}"


def _fault(data: bytes, decoder: Decoder) -> str | None:
    if decoder.length is not None and len(data) != decoder.length:
        return f"length: {len(data)} bytes, not {decoder.length}"
    if decoder.min_length is not None and len(data) < decoder.min_length:
        return f"length: {len(data)} bytes, at least {decoder.min_length} expected"
    if decoder.starts_with is not None and not data.startswith(bytes.fromhex(decoder.starts_with)):
        return f"start: {data[: len(decoder.starts_with) // 2].hex()}, not {decoder.starts_with}"
    return _checksum_fault(data, decoder.checksum) if decoder.checksum is not None else None


def _checksum_fault(data: bytes, spec: Checksum) -> str | None:
    width = WIDTHS[spec.kind]
    at = spec.at if spec.at >= 0 else len(data) + spec.at
    if at < 0 or at + width > len(data):
        return "checksum: the message is too short for it"
    end = at if spec.end is None else spec.end
    want = int.from_bytes(data[at : at + width], spec.byte_order)
    have = checksum(spec.kind, data[spec.start : end])
    return None if want == have else f"checksum: {spec.kind} gives {have:#x}, the message says {want:#x}"


def _records(data: bytes, tlv: Tlv) -> tuple[dict[str, bytes], str | None]:
    """The records of a TLV stream up to the first that cannot be cut, and why that cannot."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        tag = data[position : position + tlv.tag_bytes].hex()
        position += tlv.tag_bytes
        if tlv.length_bytes:
            length = int.from_bytes(data[position : position + tlv.length_bytes], "big")
            position += tlv.length_bytes
        elif tag in tlv.lengths:
            length = tlv.lengths[tag]
        else:
            return records, f"tag: {tag} is not one of `lengths`"
        if position + length > len(data):
            return records, f"length: record {tag} is cut off"
        records[tag] = data[position : position + length]
        position += length
    return records, None
