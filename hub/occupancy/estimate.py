"""What the belief says to others: a distribution with its interval, its coverage, and whether it should be used."""

from dataclasses import dataclass
from datetime import date, datetime
from math import ceil, floor
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

TAIL: Final = 0.1
"""What a bound leaves out: with 90 % there are at least `lower`, and with 90 % at most `upper`."""

INTERVAL_SIGMAS: Final = 1.64
_ROUNDING: Final = 1e-9

Abstention = Literal["no_counter", "warming_up", "coverage", "uncertain"]
"""Why not to use an estimate: nothing counts here; less than a day was seen; the counter was away; too wide."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """People inside at one instant. `distribution[n]` is the probability of n people; it sums to 1.

    With 90 % there are at least `lower_90`, and with 90 % at most `upper_90`. `coverage` is the share of the 24 hours
    before in which every counter saw.
    """

    at: datetime
    distribution: tuple[float, ...]
    mean: float
    sigma: float
    lower_90: int
    upper_90: int
    coverage: float
    abstains: Abstention | None

    def at_least(self, people: int) -> float:
        """Probability that so many or more are inside."""
        return min(1.0, sum(self.distribution[max(people, 0) :]))


@dataclass(frozen=True, slots=True)
class Night:
    """One night, 02:00 to 05:00 local; `date` is that of its morning.

    The numbers are those of 03:30; with 90 % there were at least `lower`, with 90 % at most `upper`. `crossings` were
    counted in the 24 hours before 05:00. Each night comes twice: at its end, and `is_revised` a day later, when those
    who left in the morning and came back have told more about it; the second replaces the first.
    """

    date: date
    at: datetime
    distribution: tuple[float, ...]
    mean: float
    sigma: float
    lower: int
    upper: int
    coverage: float
    crossings: int
    is_revised: bool
    abstains: Abstention | None
    before: tuple[tuple[int, tuple[float, ...]], ...] = ()

    def at_least(self, people: int) -> float:
        """Probability that so many or more stayed."""
        return min(1.0, sum(self.distribution[max(people, 0) :]))


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a distribution."""

    mean: float
    sigma: float
    lower: int
    upper: int


def summary_of(distribution: NDArray[np.float64]) -> Summary:
    """Mean, deviation and bounds of a distribution over 0, 1, 2, … (shape (n,), sums to 1)."""
    people = np.arange(len(distribution))
    mean = float(people @ distribution)
    variance = float(people**2 @ distribution) - mean**2
    below = np.cumsum(distribution)
    top = len(distribution) - 1
    return Summary(
        mean=mean,
        sigma=max(variance, 0.0) ** 0.5,
        lower=min(int(np.searchsorted(below, TAIL, side="right")), top),
        upper=min(int(np.searchsorted(below, 1 - TAIL, side="left")), top),
    )


def interval_90(mean: float, sigma: float) -> tuple[int, int]:
    """The whole numbers within 1.64 deviations of the mean, 90 % of a normal distribution (domain 3.3).

    Bounds by quantiles, as rules use them, hold far more than they say: a number of people is a whole one, and often
    nearly certain. This is the interval whose share of truths is measured.
    """
    return (
        max(0, ceil(mean - INTERVAL_SIGMAS * sigma - _ROUNDING)),
        floor(mean + INTERVAL_SIGMAS * sigma + _ROUNDING),
    )
