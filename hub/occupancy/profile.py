"""What is known beforehand of a counted place: its counters' measured errors, its size, how people come and go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CHINA_UTC_OFFSET_S: Final = 8 * 3600
"""Local time in China: one zone, no summer time."""

DEFAULT_MISS_RATE: Final = 0.08
DEFAULT_DOUBLE_RATE: Final = 0.03
"""For a counter whose errors nobody measured; both are on the cautious side."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter's measured errors.

    `miss_rate`: share of crossings that it does not report. `double_rate`: share of reported crossings that repeat
    another or are none. `sees_inside`: its `people.present` counts people inside the place (a radar in a common room);
    a camera over a door sees the corridor, and its presence counts say nothing of the place. `see_rate`: chance that a
    person who is inside is among those counted.
    """

    miss_rate: float = DEFAULT_MISS_RATE
    double_rate: float = DEFAULT_DOUBLE_RATE
    sees_inside: bool = False
    see_rate: float = 0.6

    def __post_init__(self) -> None:
        for name in ("miss_rate", "double_rate"):
            if not 0 <= getattr(self, name) <= 0.9:
                raise ValueError(f"{name} {getattr(self, name)!r}: a share from 0 to 0.9 is needed")
        if not 0 < self.see_rate <= 1:
            raise ValueError(f"see_rate {self.see_rate!r}: a share above 0, up to 1, is needed")


@dataclass(frozen=True, slots=True)
class Rates:
    """Per hour: a resident who is in leaves, one who is out comes home, a visitor comes, a visitor leaves."""

    leave: float
    come_home: float
    visits: float
    visitor_leaves: float


@dataclass(frozen=True, slots=True)
class Habits:
    """Rough rates of coming and going that the filter supposes of everybody, by night, by day and in the evening.

    They need not fit a household: they say how much silence means at noon, and how little at night; and that people
    tend to be home by night. `believe_out`, `believe_in`: how far exits and entries, and their absence, are believed to
    follow those rates (1: fully); people do stay at home for a day, and whole households go away for weeks.
    `visitor_share`: how likely an entry is when everybody is in, against one of a resident who is out.
    `household_ratio`: how much rarer each further resident is, before anything was seen. `moves_per_day`: chance that
    the number of residents changes.
    """

    night: Rates = Rates(leave=0.01, come_home=0.05, visits=0.002, visitor_leaves=0.06)
    day: Rates = Rates(leave=0.2, come_home=0.25, visits=0.03, visitor_leaves=0.35)
    evening: Rates = Rates(leave=0.1, come_home=0.6, visits=0.03, visitor_leaves=0.35)
    believe_out: float = 0.8
    believe_in: float = 0.65
    visitor_share: float = 0.15
    household_ratio: float = 0.6
    empty_share: float = 0.1
    moves_per_day: float = 0.04
    day_from_h: int = 6
    evening_from_h: int = 17
    night_from_h: int = 23


@dataclass(frozen=True, slots=True)
class PlaceProfile:
    """A counted place. `counters` and `locks` by placement code (`gateway/device`).

    `max_people`: the largest number that the belief considers (20 for a unit; more for an entrance, which then counts
    in steps). `max_sigma`: above this standard deviation it abstains. `min_coverage`: below this share of the day it
    abstains (domain 3.3).
    """

    counters: Mapping[str, Counter] = field(default_factory=dict)
    locks: frozenset[str] = frozenset()
    max_people: int = 20
    max_sigma: float = 1.0
    min_coverage: float = 0.9
    utc_offset_s: int = CHINA_UTC_OFFSET_S
    habits: Habits = Habits()

    def __post_init__(self) -> None:
        if not 1 <= self.max_people <= 400:
            raise ValueError(f"max_people {self.max_people}: 1 to 400 are possible")
