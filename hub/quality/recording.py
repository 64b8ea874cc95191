"""Reads a recording: `events.ndjson`, a wire event a line with `gateway`, `epoch`, `seq`, `sent_at`, as it arrived."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from hub.errors import ConfigError
from hub.ingest.reading import Broken, Delivered, read_batch
from wire.ids import is_gateway_id
from wire.messages import MAX_EVENTS, encode_batch
from wire.topics import Leaf, topic

_ALARM_KINDS: Final = frozenset({"smoke.state", "fire.component", "help.call", "lock.alarm"})
_TAMPERED: Final = b'"tamper":true'
_SILENCE: Final = timedelta(seconds=300)
"""How long a gateway may be silent (T1) before somebody looks."""
_LOOKS: Final = timedelta(seconds=10)
_NOBODY: Final = ""


class _Head(msgspec.Struct):
    gateway: str
    epoch: str
    seq: int
    observed_at: datetime
    kind: str
    sent_at: datetime | None = None


_decoder = msgspec.json.Decoder(_Head)


@dataclass(slots=True)
class Window:
    """What arrives together, at `now`. `is_alarm`: an event of life safety or of a lock's alarm, taken by itself."""

    now: datetime
    is_alarm: bool
    lines: list[tuple[_Head, bytes]] = field(default_factory=list)

    def messages(self) -> list[Delivered | Broken]:
        """As ingest would have read them from the broker."""
        found: list[Delivered | Broken] = []
        runs: dict[tuple[str, str], list[tuple[_Head, bytes]]] = {}
        for head, line in self.lines:
            run = runs.setdefault((head.gateway, head.epoch), [])
            if run and (head.seq != run[-1][0].seq + 1 or len(run) >= MAX_EVENTS // 2):
                found.append(self._message(run))
                run.clear()
            run.append((head, line))
        return found + [self._message(run) for run in runs.values() if run]

    def _message(self, run: list[tuple[_Head, bytes]]) -> Delivered | Broken:
        head = run[0][0]
        payload = encode_batch(
            gateway=head.gateway, epoch=head.epoch, first_seq=head.seq, floor_seq=0, sent_at=self.now, clock="synced",
            events=[line for _, line in run],
        )  # fmt: skip
        return read_batch(topic(head.gateway, Leaf.EVENT), payload)


class _Silences:
    """When each gateway's silence begins to count, and when it shows."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, str]] = []
        self._heard: dict[str, datetime] = {}

    def hear(self, gateway: str, at: datetime) -> None:
        """It spoke."""
        if gateway not in self._heard:
            heapq.heappush(self._due, (at + _SILENCE, gateway))
        self._heard[gateway] = at

    def noticed(self, before: datetime) -> datetime | None:
        """The next instant until `before` at which a silence begins to count, or shows; each one once."""
        while self._due and self._due[0][0] <= before:
            due, gateway = heapq.heappop(self._due)
            if gateway == _NOBODY:
                return due
            actual = self._heard[gateway] + _SILENCE
            if actual > due:
                heapq.heappush(self._due, (actual, gateway))
                continue
            del self._heard[gateway]
            # What its window held counts as heard at the window's end: a whole silence later it shows.
            heapq.heappush(self._due, (due + _SILENCE + _LOOKS, _NOBODY))
            return due
        return None


def windows(path: Path, step_s: float) -> Iterator[Window | datetime]:
    """The recording in windows of at most `step_s`, alarms by themselves; and instants at which time has passed.

    An instant says that rules that time alone triggers are due: after each whole step, and twice when a gateway has
    fallen silent. Raises ConfigError with the line.
    """
    step = timedelta(seconds=step_s)
    due: datetime | None = None
    window: Window | None = None
    silences = _Silences()
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
            at = last = max(last, head.sent_at or head.observed_at)
            due = due or at + step
            while True:
                silent = silences.noticed(min(at, due))
                if silent is None and at < due:
                    break
                if window is not None:
                    yield window
                    window = None
                if silent is None:
                    yield due
                    due += step
                else:
                    yield silent
            silences.hear(head.gateway, at)
            is_alarm = head.kind in _ALARM_KINDS or (head.kind == "device.health" and _TAMPERED in line)
            if window is not None and (is_alarm or window.is_alarm):
                yield window
                window = None
            window = window or Window(at, is_alarm)
            window.now = at
            window.lines.append((head, line.rstrip(b"\r\n")))
    if window is not None:
        yield window
    if due is not None:
        yield last
