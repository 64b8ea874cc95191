"""The lines of a capture, and plain text that other tools write: hex dumps of a bus, `mosquitto_sub -v` of a broker.

12.503 > 01 03 00 00 00 01 84 0a        time and direction may be left out; `>` or TX asks, `<` or RX answers
zigbee2mqtt/door {"contact": false}     topic and payload
{"topic": "…", "payload": …}            `mosquitto_sub -F %j`
# a comment
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_DUMP: Final = re.compile(
    r"^\s*(?:\[?(?P<t>\d+\.\d+)\]?:?\s+)?(?P<dir>[<>]|->|<-|TX:?|RX:?|tx:?|rx:?)?\s*"
    r"(?P<hex>(?:0x)?[0-9A-Fa-f]{2}(?:[\s:,-]*(?:0x)?[0-9A-Fa-f]{2})*)\s*(?:#.*)?$"
)
_ASKS: Final = (">", "->", "tx", "tx:")


class Line(msgspec.Struct, frozen=True):
    """One thing that was said."""

    t: float
    dir: str = "<"
    hex: str | None = None
    topic: str = ""
    name: str = ""
    json: Any = msgspec.UNSET
    text: str | None = None


class PlainTextError(Exception):
    """A line that is neither; the text begins with its number."""


def plain_lines(rows: Sequence[str]) -> list[Line]:
    """The lines of a plain text. A dump without directions is of the device. Raises PlainTextError."""
    lines = []
    for number, row in enumerate(rows, 1):
        text = row.strip().removeprefix("\ufeff")
        if not text or text.startswith("#"):
            continue
        line = _dumped(text, float(number)) or _published(text, float(number))
        if line is None:
            raise PlainTextError(f"{number}: neither a capture, hex, nor a topic and its payload: {text[:60]!r}")
        lines.append(line)
    return lines


def _dumped(text: str, t: float) -> Line | None:
    found = _DUMP.match(text)
    if found is None:
        return None
    digits = re.sub(r"0[xX]|[^0-9A-Fa-f]", "", found["hex"])
    asks = (found["dir"] or "").lower() in _ASKS
    direction = "" if found["dir"] is None else (">" if asks else "<")
    return Line(float(found["t"] or t), direction, digits.lower())


def _published(text: str, t: float) -> Line | None:
    if text.startswith("{"):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            return None
        topic = row.get("topic")
        return _message(topic, row["payload"], t) if isinstance(topic, str) and "payload" in row else None
    topic, _, payload = text.partition(" ")
    return _message(topic, payload.strip(), t) if "/" in topic else None


def _message(topic: str, payload: Any, t: float) -> Line:
    if not isinstance(payload, str):
        return Line(t, topic=topic, json=payload, text=json.dumps(payload))
    try:
        return Line(t, topic=topic, json=json.loads(payload), text=payload)
    except (ValueError, RecursionError):
        return Line(t, topic=topic, text=payload)
