"""What to send of one lane, and what the hub's answers mean. No I/O: time and chance are arguments.

          send                      ack seq                        error N > 0: event N is set aside (the hub counts it)
acked ─────────── next ─ … ─ last          error 0, many in flight: one small batch at a time ("careful"), halving
  └── in flight ──┘                        error 0, one event: PROBING with something harmless that uses no number
                                             ├─ refused too: the hub refuses us, not the event: BLOCKED, back-off
                                             └─ taken: RETRYING the event
                                                  ├─ refused again: it is the poison and is set aside
                                                  └─ acknowledged: the hub had changed its mind; FLOWING

Nothing is given up here by time or by count: an event goes when the hub has it, when the hub names it unreadable, or by
the outbox's drop policy.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

MAX_EVENTS: Final = 64
MAX_WINDOW: Final = 8
_FIRST_TIMEOUT_S: Final = 5.0
_MAX_TIMEOUT_S: Final = 60.0
_SLOW_S: Final = 2.0
_QUICK_S: Final = 0.5


class Mode(StrEnum):
    """How a lane is getting on with the hub."""

    FLOWING = "flowing"
    PROBING = "probing"
    RETRYING = "retrying"
    BLOCKED = "blocked"


class Flight(NamedTuple):
    """A batch that was sent and is not acknowledged."""

    first: int
    last: int
    sent_s: float


class Want(NamedTuple):
    """Send events after `after`, at most `events` of them."""

    after: int
    events: int


class Probe(NamedTuple):
    """Send something harmless under `seq`, a number that is done with; 0: there is none yet, use another epoch."""

    seq: int


@dataclass(slots=True)
class Verdict:
    """What an answer of the hub leads to."""

    delete_to: int | None = None
    set_aside: tuple[int, str] | None = None
    must_renumber: bool = False
    is_stray: bool = False


@dataclass(slots=True)
class LaneSender:
    """The sending side of one lane. Times are seconds of a monotonic clock."""

    epoch: str
    acked: int
    """The outbox's floor: everything up to it is done with."""
    known_last: int
    """The lane's last number when this process began: what an earlier process may have sent."""
    next_after: int = 0
    flights: deque[Flight] = field(default_factory=deque)
    window: int = 2
    size: int = MAX_EVENTS
    attempt: int = 0
    resume_s: float = 0.0
    mode: Mode = Mode.FLOWING
    reason: str = ""
    """Why the mode is not flowing, in the hub's words."""
    sent_to: int = 0
    """The highest number that this process has sent."""
    judged: set[int] = field(default_factory=set)
    """Numbers whose events have been set aside: a late second refusal is not about the tombstone there now."""
    is_greeted: bool = False
    """Whether the hub has acknowledged anything of this epoch to this process."""
    deadline_s: float | None = None

    def __post_init__(self) -> None:
        self.rewind()

    def rewind(self) -> None:
        """Forget what is in flight: begin again behind the last acknowledgement. Called when a connection is lost."""
        self.flights.clear()
        self.next_after = self.acked
        self.deadline_s = None
        if self.mode in {Mode.PROBING, Mode.RETRYING}:
            self.mode = Mode.FLOWING

    def reset(self, epoch: str, floor: int, last_seq: int) -> None:
        """The lane begins a new epoch."""
        self.epoch, self.acked, self.known_last, self.sent_to = epoch, floor, last_seq, 0
        self.mode, self.reason, self.is_greeted = Mode.FLOWING, "", False
        self.judged.clear()
        self.rewind()

    def raise_floor(self, floor: int) -> None:
        """The outbox has dropped events for room, or another acknowledgement was noted there."""
        if floor > self.acked:
            self.acked = floor
            self.next_after = max(self.next_after, floor)
            self._land(floor)

    def want(self, last_seq: int, now_s: float) -> Want | Probe | None:
        """What to send next, if anything and if now."""
        if now_s < self.resume_s or self.next_after >= last_seq:
            return None
        # The first event of a process goes alone: its acknowledgement tells how much the hub has (see on_ack).
        is_careful = self.attempt > 0 or self.size < MAX_EVENTS or self.mode is not Mode.FLOWING or not self.is_greeted
        if len(self.flights) >= (1 if is_careful else self.window):
            return None
        if self.mode is Mode.PROBING:
            return Probe(self.acked)
        return Want(self.next_after, self.size if self.is_greeted else 1)

    def sent(self, first: int, last: int, now_s: float, jitter: float) -> None:
        """A batch was handed to the connection. `jitter` is 0 … 1."""
        self.flights.append(Flight(first, last, now_s))
        self.next_after = last
        self.sent_to = max(self.sent_to, last)
        if self.deadline_s is None:
            self._arm(now_s, jitter)

    def probed(self, now_s: float, jitter: float) -> None:
        """A probe was handed to the connection."""
        self.flights.append(Flight(0, 0, now_s))
        self._arm(now_s, jitter)

    def on_probe_ack(self) -> None:
        """The hub has taken the probe: it does not refuse us. Now the event has its second chance."""
        if self.mode is Mode.PROBING:
            reason = self.reason
            self.rewind()
            self.mode, self.reason = Mode.RETRYING, reason

    def _arm(self, now_s: float, jitter: float) -> None:
        wait_s = min(_MAX_TIMEOUT_S, _FIRST_TIMEOUT_S * 2 ** min(self.attempt, 10))
        self.deadline_s = now_s + wait_s * (0.75 + 0.5 * jitter)

    def _land(self, seq: int) -> list[Flight]:
        landed = []
        while self.flights and self.flights[0].last <= seq:
            landed.append(self.flights.popleft())
        if not self.flights:
            self.deadline_s = None
        return landed

    def on_timer(self, now_s: float) -> bool:
        """Begin again when the oldest batch in flight has waited too long. Returns whether it had."""
        if self.deadline_s is None or now_s < self.deadline_s:
            return False
        self.attempt += 1
        self.rewind()
        return True

    def on_ack(self, seq: int, last_seq: int, now_s: float, jitter: float) -> Verdict:
        """The hub has everything up to `seq`.

        More than this process sent and than any earlier one can have sent means that the outbox file was put back to
        an older state: its numbers have been used before, and the hub would take new events for old ones.
        """
        if seq > min(last_seq, max(self.known_last, self.sent_to)):
            return Verdict(must_renumber=True)
        self.is_greeted = True
        if seq <= self.acked:
            self.on_probe_ack()
            return Verdict()
        verdict = Verdict(delete_to=seq)
        self.mode, self.reason, self.attempt, self.resume_s = Mode.FLOWING, "", 0, 0.0
        self.size = min(MAX_EVENTS, self.size * 2)
        self.acked = seq
        self.judged = {number for number in self.judged if number > seq}
        self.next_after = max(self.next_after, seq)
        landed = self._land(seq)
        if landed:
            # A long round trip means that our own batches fill the line: an alarm must not queue behind many of them.
            took_s = now_s - landed[-1].sent_s
            if took_s > _SLOW_S:
                self.window = max(1, self.window // 2)
            elif took_s < _QUICK_S:
                self.window = min(MAX_WINDOW, self.window + 1)
        if self.flights:
            self._arm(now_s, jitter)
        return verdict

    def on_error(self, seq: int, reason: str, now_s: float, pause_s: float) -> Verdict:
        """The hub cannot read event `seq` (0: nothing of a batch). `pause_s`: how long to wait if it refuses us."""
        if seq > 0:
            if not self.acked < seq <= self.sent_to:
                return Verdict(is_stray=True)
            return self._judge(seq, reason)
        if not self.flights:
            return Verdict(is_stray=True)
        count = max(flight.last - flight.first + 1 for flight in self.flights)
        was_alone = len(self.flights) == 1
        mode = self.mode
        self.rewind()
        if mode is Mode.PROBING or (mode is Mode.RETRYING and self.acked + 1 in self.judged):
            self.mode, self.reason = Mode.BLOCKED, reason
            self.size = 1
            self.resume_s = now_s + pause_s
        elif mode is Mode.RETRYING and was_alone:
            return self._judge(self.acked + 1, reason)
        elif was_alone and count == 1:
            self.mode, self.reason, self.size = Mode.PROBING, reason, 1
        else:
            self.size = max(1, count // 2)
        return Verdict()

    def _judge(self, seq: int, reason: str) -> Verdict:
        if seq in self.judged:
            return Verdict()
        self.judged.add(seq)
        return Verdict(set_aside=(seq, reason))
