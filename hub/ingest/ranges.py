"""Sets of numbers as sorted, disjoint, non-touching ranges: `[(1, 41), (44, 44)]` is 1 to 41 and 44. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
Ranges: TypeAlias = list[Range]


def add(ranges: Sequence[Range], first: int, last: int) -> Ranges:
    """`ranges` with `first` to `last` (both included) in it."""
    # Ranges that overlap the new one or touch it become part of it.
    start = bisect_left(ranges, first - 1, key=lambda item: item[1])
    end = bisect_right(ranges, last + 1, key=lambda item: item[0])
    if start < end:
        first, last = min(first, ranges[start][0]), max(last, ranges[end - 1][1])
    return [*ranges[:start], (first, last), *ranges[end:]]


def remove(ranges: Sequence[Range], number: int) -> Ranges:
    """`ranges` without `number`."""
    at = _index(ranges, number)
    if at is None:
        return list(ranges)
    first, last = ranges[at]
    left = [(first, number - 1)] if first < number else []
    right = [(number + 1, last)] if number < last else []
    return [*ranges[:at], *left, *right, *ranges[at + 1 :]]


def holds(ranges: Sequence[Range], number: int) -> bool:
    """Whether `number` is in `ranges`."""
    return _index(ranges, number) is not None


def run_end(ranges: Sequence[Range], after: int) -> int:
    """The last number of the unbroken run that begins at `after + 1`; `after` itself when there is none."""
    at = _index(ranges, after + 1)
    return after if at is None else ranges[at][1]


def missing(ranges: Sequence[Range], first: int, last: int) -> Ranges:
    """What of `first` to `last` is not in `ranges`."""
    found: Ranges = []
    at = bisect_left(ranges, first, key=lambda item: item[1])
    for start, end in ranges[at:]:
        if start > last:
            break
        if start > first:
            found.append((first, start - 1))
        first = end + 1
    if first <= last:
        found.append((first, last))
    return found


def count(ranges: Sequence[Range]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in ranges)


def _index(ranges: Sequence[Range], number: int) -> int | None:
    at = bisect_left(ranges, number, key=lambda item: item[1])
    return at if at < len(ranges) and ranges[at][0] <= number else None
