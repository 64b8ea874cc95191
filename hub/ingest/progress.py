"""How far one epoch of one gateway has come: which numbers are new, and what to acknowledge. Pure.

1 ──────────── contiguous        a hole           the highest number
████████████████████████████░░░░░░░░██████████████████████████░░░░░███
                                 floor ──── ack: the end of the run of accounted numbers after the floor
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.ingest.ranges import Ranges, add, holds, missing, remove, run_end

GRACE: Final = timedelta(seconds=1)
"""How long numbers before the first one may still arrive, from a sender that says no floor (decision 0002)."""

MAX_HOLES: Final = 1000
"""Open holes of an epoch that the hub keeps track of, and old holes that it lists."""


@dataclass(slots=True)
class Progress:
    """One row of `stream`, as plain values."""

    first_batch_at: datetime
    accounted: Ranges = field(default_factory=list)
    rejected: Ranges = field(default_factory=list)
    stored_count: int = 0
    forgotten_count: int = 0
    floor_seq: int = 0
    has_floor: bool = False
    ack_seq: int = 0

    def refuses(self, first_seq: int, last_seq: int) -> bool:
        """Whether to refuse a batch because it would open one hole too many. No sender that resends in order does."""
        beyond = [part for part in self.accounted if part[0] > self.ack_seq]
        return len(beyond) >= MAX_HOLES and len(add(beyond, first_seq, last_seq)) > len(beyond)

    def raise_floor(self, floor_seq: int | None, first_seq: int) -> None:
        """What a batch says of the numbers before it. A floor inside the batch itself contradicts it."""
        if floor_seq is not None:
            self.has_floor = True
            self.floor_seq = max(self.floor_seq, min(floor_seq, first_seq - 1))

    def new_numbers(self, first_seq: int, last_seq: int) -> list[int]:
        """Those of a batch's numbers that would be new if well-formed, in order."""
        gaps = missing(self.accounted, first_seq, last_seq)
        new = [number for start, end in gaps for number in range(start, end + 1)]
        if self.rejected:
            again = (number for number in range(first_seq, last_seq + 1) if holds(self.rejected, number))
            return sorted({*new, *again})
        return new

    def take(self, first_seq: int, last_seq: int, stored: list[int], bad: list[int]) -> None:
        """Account for a batch: `stored` of its new numbers are well-formed, `bad` are not."""
        if self.rejected:
            for number in stored:
                self.rejected = remove(self.rejected, number)
        for number in bad:
            self.rejected = add(self.rejected, number, number)
        self.stored_count += len(stored)
        self.accounted = add(self.accounted, first_seq, last_seq)
        self._forget()

    def adopt_floor(self, now: datetime) -> None:
        """After the grace, take the number before the first one as the floor of a sender that says none."""
        # A wall clock that was set back must not make the grace last for ever.
        in_grace = timedelta(0) <= now - self.first_batch_at < GRACE
        if not self.has_floor and self.accounted and self.accounted[0][0] > 1 and not in_grace:
            self.floor_seq = self.accounted[0][0] - 1
            self.has_floor = True

    @property
    def awaits_floor(self) -> bool:
        """Whether a floor may have to be taken once the grace is over."""
        return not self.has_floor and bool(self.accounted) and self.accounted[0][0] > 1

    def reached(self) -> int:
        """The number up to which everything is committed, as the acknowledgement says it. Never goes back."""
        return max(self.ack_seq, run_end(self.accounted, self.floor_seq))

    def _forget(self) -> None:
        """Keep the row small: old holes after the first are counted and no longer listed."""
        while len(self.accounted) > 2 * MAX_HOLES and self.accounted[2][0] <= max(self.floor_seq, self.ack_seq):
            (first, end), (start, last) = self.accounted[1:3]
            self.forgotten_count += start - end - 1
            self.accounted[1:3] = [(first, last)]
        while len(self.rejected) > 2 * MAX_HOLES:
            del self.rejected[0]
