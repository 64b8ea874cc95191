"""People and their days: who is away from when to when, as their kind of life has it. Hours are local."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

DAY_S: Final = 86400.0
DAWN_S: Final = 4 * 3600.0
"""A person's day goes from 04:00 to 04:00, so that an evening out belongs to its day."""


class Kind(StrEnum):
    """Kinds of life."""

    OFFICE = "office"
    SHIFT = "shift"
    RIDER = "rider"
    STUDENT = "student"
    HOME = "home"
    ELDER = "elder"
    INFANT = "infant"


@dataclass(slots=True)
class Person:
    """Somebody who lives in a unit from `from_s` until `to_s` (seconds since the start of the run).

    `activity` scales how often they go out; `is_registered` says whether the registry knows them. From `still_s` on
    they do nothing any more.
    """

    kind: Kind
    activity: float = 1.0
    is_registered: bool = True
    card: str = ""
    from_s: float = float("-inf")
    to_s: float = float("inf")
    still_s: float = float("inf")
    age: int = 30
    is_in: bool = True
    away_until: float = float("-inf")


@dataclass(frozen=True, slots=True, order=True)
class Trip:
    """`members` leave together at `out_s` and come back together at `back_s`."""

    out_s: float
    back_s: float
    members: tuple[int, ...] = field(compare=False)


def trips_of_day(people: list[Person], day: int, weekday: int, rng: Random) -> list[Trip]:
    """What everybody of a household would do on a day if nothing hindered them, in order of time."""
    midnight = day * DAY_S
    trips: list[Trip] = []
    walkers = [i for i, person in enumerate(people) if person.kind is not Kind.INFANT]
    infants = [i for i, person in enumerate(people) if person.kind is Kind.INFANT]
    if len(walkers) > 1 and rng.random() < (0.22 if weekday >= 5 else 0.04):
        out = midnight + rng.uniform(9, 18) * 3600
        trips.append(Trip(out, out + rng.uniform(1, 5) * 3600, tuple(walkers + infants)))
    for index in walkers:
        person = people[index]
        for out_h, back_h in _hours(person.kind, person.activity, weekday, rng):
            members: tuple[int, ...] = (index,)
            if infants and person.kind in (Kind.HOME, Kind.ELDER) and rng.random() < 0.6:
                members = (index, *infants)
            trips.append(Trip(midnight + out_h * 3600, midnight + back_h * 3600, members))
        if rng.random() < 0.008:
            out = midnight + rng.uniform(8, 20) * 3600
            trips.append(Trip(out, out + rng.uniform(18, 72) * 3600, (index,)))
    return sorted(trips)


def _hours(kind: Kind, activity: float, weekday: int, rng: Random) -> list[tuple[float, float]]:
    """Hours of leaving and coming back; beyond 24 is the next day."""
    is_weekend = weekday >= 5
    found: list[tuple[float, float]] = []
    if kind is Kind.OFFICE:
        if rng.random() < (0.3 if is_weekend else 0.94):
            found.append((rng.gauss(8.0, 0.6), rng.gauss(18.4, 1.1)))
        found += _errands(rng, 19.3, 22.0, 0.25 * activity, 0.3, 2.5)
        if is_weekend:
            found += _errands(rng, 9.5, 20.0, 1.0 * activity, 0.5, 4.0)
    elif kind is Kind.SHIFT:
        if rng.random() < 0.72:
            found.append((rng.gauss(20.2, 0.5), rng.gauss(32.2, 0.7)))
        found += _errands(rng, 13.0, 18.5, 0.6 * activity, 0.3, 2.0)
    elif kind is Kind.RIDER:
        if rng.random() < 0.9:
            found.append((rng.gauss(9.8, 0.6), rng.gauss(14.2, 0.5)))
            found.append((rng.gauss(16.3, 0.6), rng.gauss(22.3, 0.9)))
        found += _errands(rng, 14.5, 16.0, 0.2 * activity, 0.2, 0.8)
    elif kind is Kind.STUDENT:
        if not is_weekend and rng.random() < 0.96:
            found.append((rng.gauss(7.4, 0.3), rng.gauss(17.2, 0.8)))
        found += _errands(rng, 9.0 if is_weekend else 18.5, 21.0, (1.2 if is_weekend else 0.3) * activity, 0.5, 3.0)
    elif kind is Kind.HOME:
        found += _errands(rng, 8.0, 20.5, 1.7 * activity, 0.3, 2.5)
    elif kind is Kind.ELDER:
        found += _errands(rng, 6.2, 17.5, 1.8 * activity, 0.4, 1.8)
    return sorted((out, max(out + 0.05, back)) for out, back in found)


def _errands(  # noqa: PLR0917  # a distribution's numbers, in the order of a day
    rng: Random, first_h: float, last_h: float, mean: float, least_h: float, most_h: float
) -> list[tuple[float, float]]:
    """A Poisson number of short absences with that mean."""
    found: list[tuple[float, float]] = []
    left = rng.expovariate(1.0)
    while left < mean:
        out = rng.uniform(first_h, last_h)
        found.append((out, out + rng.uniform(least_h, most_h)))
        left += rng.expovariate(1.0)
    return found
