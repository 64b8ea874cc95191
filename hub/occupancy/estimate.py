"""What the belief says to others: a distribution with its interval, its coverage, and whether it should be used."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

TAIL: Final = 0.05
"""What the interval leaves out at either end."""

Abstention = Literal["no_counter", "warming_up", "coverage", "uncertain"]
"""Why not to use an estimate: nothing counts here; less than a day was seen; the counter was away; too wide."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """People inside at one instant. `distribution[n]` is the probability of n people; it sums to 1.

    `lower_90` and `upper_90` bound the central 90 %: with 95 % there are at least `lower_90`. `coverage` is the share
    of the 24 hours before in which every counter saw.
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

    The numbers are those of 03:30; with 95 % there were at least `lower`. `crossings` were counted in the 24 hours
    before 05:00. Each night comes twice: at its end, and `is_revised` a day later, when those who left in the
    morning and came
    back have told more about it; the second replaces the first.
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
    """Mean, deviation and central 90 % interval of a distribution over 0, 1, 2, … (shape (n,), sums to 1)."""
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
