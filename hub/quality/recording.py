"""Reads a recording: `events.ndjson`, a wire event a line with `gateway`, `epoch`, `seq`, `sent_at`, as it arrived."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from hub.errors import ConfigError
from hub.ingest.reading import Broken, Delivered, read_batch
from wire.messages import MAX_EVENTS, encode_batch
from wire.topics import Leaf, topic

_ALARM_KINDS: Final = frozenset({"smoke.state", "fire.component", "lock.alarm"})


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


def windows(path: Path, step_s: float) -> Iterator[Window | datetime]:
    """The recording in windows of at most `step_s`, alarms by themselves; and an instant after each whole step.

    An instant says that time has come so far: rules that time alone triggers are due. Raises ConfigError with the line.
    """
    step = timedelta(seconds=step_s)
    due: datetime | None = None
    window: Window | None = None
    last = datetime.min.replace(tzinfo=UTC)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                head = _decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise ConfigError(
                    f"{path}:{number}: {error}; each line is an event as anfang-sim residents writes"
                ) from error
            at = last = max(last, head.sent_at or head.observed_at)
            due = due or at + step
            while at >= due:
                if window is not None:
                    yield window
                    window = None
                yield due
                due += step
            is_alarm = head.kind in _ALARM_KINDS
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
