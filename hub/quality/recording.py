"""Reads a recording: `events.ndjson`, a wire event a line with `gateway`, `epoch`, `seq`, `sent_at`, as it arrived."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from hub.errors import ConfigError
from hub.ingest.reading import Broken, Delivered, read_batch
from hub.replay.schedule import ALARMS
from wire.events import EVENT_TYPES
from wire.ids import is_gateway_id
from wire.messages import MAX_EVENTS, encode_batch
from wire.topics import Leaf, topic

_ALARM_KINDS: Final = frozenset(kind for kind, cls in EVENT_TYPES.items() if cls in ALARMS)
_TAMPERED: Final = b'"tamper":true'
_BLOCK: Final = 1 << 20


class _Head(msgspec.Struct):
    gateway: str
    epoch: str
    seq: int
    observed_at: datetime
    kind: str
    sent_at: datetime | None = None


_decoder = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line. `is_alarm`: an event of life safety or of a lock's alarm, taken by itself."""

    at: datetime
    gateway: str
    epoch: str
    seq: int
    is_alarm: bool
    line: bytes


def messages_of(arrivals: Sequence[Arrival]) -> list[Delivered | Broken]:
    """As ingest would have read them from the broker; each event with the instant at which it came."""
    found: list[Delivered | Broken] = []
    runs: dict[tuple[str, str], list[Arrival]] = {}
    for arrival in arrivals:
        run = runs.setdefault((arrival.gateway, arrival.epoch), [])
        if run and (arrival.seq != run[-1].seq + 1 or len(run) >= MAX_EVENTS // 2):
            found.append(_message(run))
            run.clear()
        run.append(arrival)
    return found + [_message(run) for run in runs.values() if run]


def _message(run: list[Arrival]) -> Delivered | Broken:
    first = run[0]
    payload = encode_batch(
        gateway=first.gateway, epoch=first.epoch, first_seq=first.seq, floor_seq=0, sent_at=run[-1].at, clock="synced",
        events=[arrival.line for arrival in run],
    )  # fmt: skip
    found = read_batch(topic(first.gateway, Leaf.EVENT), payload)
    if isinstance(found, Delivered):
        return replace(found, arrived_at=[arrival.at for arrival in run])
    return found


def count_lines(path: Path) -> int:
    """How many events there are, about."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))


def arrivals(path: Path) -> Iterator[Arrival]:
    """The recording's lines; time never goes back. Raises ConfigError with the line."""
    last = datetime.min.replace(tzinfo=UTC)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                head = _decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise ConfigError(
                    f"{path}:{number}: {error}; each line is an event as anfang-sim residents writes"
                ) from error
            if not is_gateway_id(head.gateway):
                raise ConfigError(f"{path}:{number}: gateway {head.gateway!r}: 3 to 64 of a-z, 0-9 and '-' are allowed")
            came = head.sent_at or head.observed_at
            # To the millisecond, as the hub keeps it.
            last = max(last, came.replace(microsecond=came.microsecond // 1000 * 1000))
            is_alarm = head.kind in _ALARM_KINDS or (head.kind == "device.health" and _TAMPERED in line)
            yield Arrival(last, head.gateway, head.epoch, head.seq, is_alarm, line.rstrip(b"\r\n"))
