"""The lines of a capture, and plain text that other tools write: hex dumps of a bus, `mosquitto_sub -v` of a broker.

12.503 > 01 03 00 00 00 01 84 0a        time and direction may be left out; `>` or TX asks, `<` or RX answers
[12:30:01.123] TX -> 01-03-00-00        the same in other words (Send, Recv, 发送, 接收), with a time of day
> 2026/11/26 04:30:00.1 length=8 …      `socat -x -v`: a header, then the bytes
zigbee2mqtt/door {"contact": false}     topic and payload, perhaps with a time in front
{"topic": "…", "payload": …}            `mosquitto_sub -F %j`
# a comment
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_TIME: Final = (
    r"\[?(?:(?P<date>\d{4}[-/]\d\d[-/]\d\d)[ T])?(?:(?P<clock>\d\d:\d\d:\d\d(?:[.,:]\d+)?)|(?P<t>\d+\.\d+))"
    r"(?:Z|[+-]\d\d:?\d\d)?\]?:?"
)
"""Seconds, or a time of day with or without its date, as tools write it in front."""
_WAYS: Final = (
    r"(?:TX|RX|tx|rx|Tx|Rx|SEND|RECV|Send|Recv|Sent|Received|Request|Response|发送|接收|发|收)?"
    r"\s*(?:-->|<--|->|<-|=>|<=|[<>])?:?"
)
_DUMP: Final = re.compile(
    rf"^\s*(?:{_TIME}\s+)?(?P<dir>{_WAYS})\s*"
    r"(?P<hex>(?:0x)?[0-9A-Fa-f]{2}(?:[\s:,-]*(?:0x)?[0-9A-Fa-f]{2})*)\s*(?:#.*)?$"
)
_SOCAT: Final = re.compile(r"^([<>]) (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+)\s+length=\d+ from=\d+ to=\d+$")
"""What `socat -x -v` writes before the bytes of each piece."""
_STAMPED: Final = re.compile(rf"^{_TIME}\s+(?=\S+/)")
_ASKS: Final = ("->", ">", "=>", "tx", "send", "sent", "request", "发")


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
    lines: list[Line] = []
    piece: Line | None = None
    for number, row in enumerate(rows, 1):
        text = row.strip().removeprefix("\ufeff")
        if not text or text.startswith("#"):
            continue
        header = _SOCAT.match(text)
        if header is not None:
            piece = Line(_seconds(header[2].split()[1]), header[1], "")
            lines.append(piece)
            continue
        line = _dumped(text, float(number)) or _published(text, float(number))
        if line is None:
            raise PlainTextError(f"{number}: neither a capture, hex, nor a topic and its payload: {text[:60]!r}")
        if piece is not None and line.hex is not None and not line.dir:
            # The bytes of one piece, some of them in each line.
            piece = lines[-1] = msgspec.structs.replace(piece, hex=(piece.hex or "") + line.hex)
            continue
        piece = None
        lines.append(line)
    return lines


def _dumped(text: str, t: float) -> Line | None:
    found = _DUMP.match(text)
    if found is None:
        return None
    digits = re.sub(r"0[xX]|[^0-9A-Fa-f]", "", found["hex"])
    way = found["dir"].strip().rstrip(":").lower()
    asks = way.startswith(_ASKS) or way.endswith(">")
    direction = "" if not way else (">" if asks else "<")
    stamp = float(found["t"]) if found["t"] else _seconds(found["clock"]) if found["clock"] else t
    return Line(stamp, direction, digits.lower())


def _seconds(clock: str) -> float:
    """Seconds of a day from `12:30:01.123`."""
    hours, minutes, seconds, *rest = re.split(r"[:.,]", clock)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + (float(f"0.{rest[0]}") if rest else 0.0)


def _published(text: str, t: float) -> Line | None:
    if text.startswith("{"):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            return None
        topic = row.get("topic")
        return _message(topic, row["payload"], t) if isinstance(topic, str) and "payload" in row else None
    text = _STAMPED.sub("", text)
    topic, _, payload = text.partition(" ")
    return _message(topic, payload.strip(), t) if "/" in topic else None


def _message(topic: str, payload: Any, t: float) -> Line:
    if not isinstance(payload, str):
        return Line(t, topic=topic, json=payload, text=json.dumps(payload))
    try:
        return Line(t, topic=topic, json=json.loads(payload), text=payload)
    except (ValueError, RecursionError):
        return Line(t, topic=topic, text=payload)
