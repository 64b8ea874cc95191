"""Gathers crossings and people present into buckets of time, so that no event tells of one person (privacy P3)."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import Final, Literal

from edge_agent.counting.line import Direction

REPEAT_S: Final = 900.0
"""People present are told again after that long though nothing has changed."""


@dataclass(frozen=True, slots=True)
class BucketCount:
    """What one direction had in one bucket."""

    direction: Direction
    count: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """A finished bucket. `present` is None where it says nothing new."""

    end: datetime
    window_s: float
    crossings: list[BucketCount]
    present: int | None
    present_confidence: float


@dataclass(slots=True)
class Buckets:
    """Give it what is seen when it is seen, and ask often for the bucket that is over."""

    length_s: float
    _end: datetime | None = None
    _crossings: dict[Literal["in", "out"], list[float]] = field(default_factory=dict)
    _present: Counter[int] = field(default_factory=Counter)
    _confidences: list[float] = field(default_factory=list)
    _told: tuple[int, datetime] | None = None

    def crossed(self, direction: Direction, confidence: float) -> None:
        """Somebody crossed the line now."""
        self._crossings.setdefault(direction, []).append(confidence)

    def present(self, count: int, confidence: float) -> None:
        """So many people are there now; call at even intervals."""
        self._present[count] += 1
        self._confidences.append(confidence)

    def finished(self, now: datetime) -> Bucket | None:
        """The bucket that is over, once. Buckets end at multiples of their length since midnight UTC."""
        if self._end is None:
            self._end = self._next_end(now)
        if now < self._end:
            return None
        bucket = self._close(self._end)
        self._end = self._next_end(now)
        return bucket

    def flush(self, now: datetime) -> Bucket:
        """What has gathered so far, when the camera stops before the bucket's end."""
        return self._close(now)

    def _close(self, end: datetime) -> Bucket:
        crossings = [
            BucketCount(direction, len(scores), fmean(scores)) for direction, scores in sorted(self._crossings.items())
        ]
        present, confidence = self._news(end)
        self._crossings.clear()
        self._present.clear()
        self._confidences.clear()
        return Bucket(end, self.length_s, crossings, present, confidence)

    def _news(self, end: datetime) -> tuple[int | None, float]:
        """The number present for most of the bucket, if it has changed or was told long ago."""
        if not self._present:
            return None, 0.0
        count = max(self._present, key=lambda number: (self._present[number], number))
        if self._told and self._told[0] == count and (end - self._told[1]).total_seconds() < REPEAT_S:
            return None, 0.0
        self._told = (count, end)
        return count, fmean(self._confidences)

    def _next_end(self, now: datetime) -> datetime:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = (now - midnight).total_seconds() // self.length_s + 1
        return midnight + timedelta(seconds=passed * self.length_s)
