"""One gateway's stream of events as the wire contract asks for it: numbered, windowed, sent again, acknowledged.

Pure: it is told the time, and says which batches are due. It is not the agent's outbox (nothing is on disk); it is
what a stranger would write from the contract, and so it checks the hub with a second opinion.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from wire.messages import Ack

MOST_RETRY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class DueBatch:
    """Events to send now; `events[i]` has the number `first_seq + i`."""

    first_seq: int
    events: list[bytes]
    is_repeat: bool


@dataclass(slots=True)
class _Pending:
    seq: int
    body: bytes
    sent_s: float | None = None


@dataclass(slots=True)
class WireStream:
    """Everything between the first event and the last acknowledgement of one epoch.

    `window` events at most are under way; without an acknowledgement for `retry_s` they are sent again from the first,
    then after twice that time, and so on up to MOST_RETRY_S. `spread` (0-1) lengthens each wait by up to half, so that
    a thousand streams do not all come back at once.
    """

    epoch: str
    batch: int = 100
    window: int = 400
    retry_s: float = 5.0
    spread: float = 0.0
    sent: int = 0
    acknowledged: int = 0
    repeats: int = 0
    faults: list[str] = field(default_factory=list)
    _pending: deque[_Pending] = field(default_factory=deque)
    _next_seq: int = 1
    _last_progress_s: float = 0.0
    _attempts: int = 0

    @property
    def numbered(self) -> int:
        """Events that have a number, sent or not."""
        return self._next_seq - 1

    @property
    def depth(self) -> int:
        """Events that are not acknowledged yet."""
        return len(self._pending)

    def add(self, body: bytes) -> None:
        """One more event, as `wire.messages.encode_event` made it."""
        self._pending.append(_Pending(self._next_seq, body))
        self._next_seq += 1

    def due(self, now_s: float) -> list[DueBatch]:
        """The batches to send at `now_s` (monotonic seconds); they count as sent."""
        unsent = next((index for index, item in enumerate(self._pending) if item.sent_s is None), len(self._pending))
        is_repeat = unsent > 0 and now_s - self._last_progress_s >= self._patience_s()
        first = 0 if is_repeat else unsent
        last = min(len(self._pending), self.window)
        batches: list[DueBatch] = []
        if first == 0 and last > 0:
            self._last_progress_s = now_s
            self._attempts += is_repeat
        items = list(self._pending)[first:last]
        for start in range(0, len(items), self.batch):
            part = items[start : start + self.batch]
            was_sent = part[0].sent_s is not None
            batches.append(DueBatch(part[0].seq, [item.body for item in part], was_sent))
            self.repeats += was_sent
            for item in part:
                if item.sent_s is None:
                    item.sent_s = now_s
                    self.sent += 1
        return batches

    def on_ack(self, ack: Ack, now_s: float) -> list[float]:
        """Take an acknowledgement; gives the seconds from first sending, one for each event that it freed.

        An acknowledgement of another epoch is nobody's fault; one of what was never sent is the hub's, and is kept in
        `faults`, and so is a rejection.
        """
        if ack.epoch != self.epoch:
            return []
        if ack.error is not None:
            self.faults.append(f"{self.epoch} seq {ack.seq}: rejected: {ack.error}")
            return []
        if ack.seq > self.sent:
            self.faults.append(f"{self.epoch}: {ack.seq} acknowledged, but only {self.sent} were sent")
            return []
        waits: list[float] = []
        while self._pending and self._pending[0].seq <= ack.seq:
            item = self._pending.popleft()
            waits.append(now_s - (item.sent_s or now_s))
            self.acknowledged += 1
        if waits:
            self._last_progress_s = now_s
            self._attempts = 0
        return waits

    def _patience_s(self) -> float:
        return float(min(self.retry_s * 2**self._attempts, MOST_RETRY_S) * (1 + self.spread / 2))
