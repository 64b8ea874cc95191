"""The bytes of a message: taken out of their envelope, checked, cut into records. Faults are returned, not raised."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edge_agent.protocols.checksums import WIDTHS, checksum
from edge_agent.protocols.message import ABSENT, Message
from firmware_profiles.transports import Checksum, Decoder, Tlv

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


@dataclass(frozen=True, slots=True)
class Payload:
    """The checked bytes of a message, or why there are none."""

    data: bytes | None = None
    records: Mapping[str, bytes] | None = None
    """TLV: tag as hex -> value; of a tag that comes twice the later."""
    fault: str | None = None


def payload_of(message: Message, decoder: Decoder) -> Payload:
    """What stands in a message, by the profile's decoder."""
    data = message.data
    if decoder.json_path is not None and message.json is not ABSENT:
        found = walk(message.json, decoder.json_path)
        if found is ABSENT or found is None:
            return Payload()
        data, fault = _decode(found, decoder.encoding or "base64")
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
    return Payload(data, records, fault)


def walk(value: Any, path: str | list[str | int]) -> Any:
    """The value at a path (`a.b[0].c` or a list of steps) of a JSON value; ABSENT when there is none."""
    steps: list[str | int] = (
        [match[1] if match[1] is not None else int(match[2]) for match in _STEP.finditer(path)]
        if isinstance(path, str)
        else path
    )
    for step in steps:
        is_there = (
            isinstance(value, dict) and step in value
            if isinstance(step, str)
            else isinstance(value, list) and -len(value) <= step < len(value)
        )
        if not is_there:
            return ABSENT
        value = value[step]
    return value


def _decode(found: Any, encoding: str) -> tuple[bytes | None, str | None]:
    if not isinstance(found, str):
        return None, f"payload: {encoding} text expected"
    try:
        return (base64.b64decode(found, validate=True) if encoding == "base64" else bytes.fromhex(found)), None
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
