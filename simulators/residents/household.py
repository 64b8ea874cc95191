"""One unit's life, day by day: who passes its door, and with which credential. The truth, before any sensor."""

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from simulators.residents.people import DAWN_S, DAY_S, Kind, Person, trips_of_day

Wish = tuple[float, str, tuple[float, tuple[int, ...]]]
"""When, what (trip, back, arrive, visit, bye, delivery), and (until when, members of the household or how many)."""


class Passage(NamedTuple):
    """`people` (of whom `infants` are carried) pass the door together. `card`: what opened it, if anything did."""

    at_s: float
    is_in: bool
    people: int
    infants: int = 0
    card: str = ""


@dataclass(slots=True)
class Absence:
    """The whole household is away."""

    from_s: float
    to_s: float


@dataclass(slots=True)
class Household:
    """Whoever is in a unit. `inside` is the truth; it changes only by the passages that `day` returns.

    `visits_per_day`, `overnight`: how often visitors come, and which share of them stays the night.
    """

    people: list[Person]
    absences: list[Absence] = field(default_factory=list)
    visits_per_day: float = 0.12
    overnight: float = 0.1
    deliveries_per_day: float = 0.3
    visitors: int = 0
    leaving: list[tuple[float, int]] = field(default_factory=list)
    returning: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)

    @property
    def inside(self) -> int:
        """People inside at the end of the last simulated day."""
        return sum(person.is_in for person in self.people) + self.visitors

    def day(self, day: int, weekday: int, rng: Random) -> list[Passage]:
        """The passages from 04:00 of `day` to 04:00 of the next, in order of time."""
        start, end = day * DAY_S + DAWN_S, (day + 1) * DAY_S + DAWN_S
        wishes = self._wishes(day, weekday, rng)
        passages: list[Passage] = []
        for at, what, payload in sorted(wishes, key=lambda wish: (wish[0], wish[1])):
            if start <= at < end:
                passages += self._do(at, what, payload, rng)
        # Those who come back within the day come back in the order of time, between the wishes above.
        return sorted(passages)

    def _wishes(self, day: int, weekday: int, rng: Random) -> list[Wish]:
        start, end = day * DAY_S + DAWN_S, (day + 1) * DAY_S + DAWN_S
        wishes: list[Wish] = [
            (trip.out_s, "trip", (trip.back_s, trip.members)) for trip in trips_of_day(self.people, day, weekday, rng)
        ]
        for index, person in enumerate(self.people):
            if start <= person.from_s < end:
                wishes.append((person.from_s, "arrive", (0.0, (index,))))
            if start <= person.to_s < end:
                wishes.append((person.to_s, "trip", (float("inf"), (index,))))
        everybody = tuple(range(len(self.people)))
        wishes += [(a.from_s, "trip", (a.to_s, everybody)) for a in self.absences if start <= a.from_s < end]
        if rng.random() < self.visits_per_day * (1.8 if weekday >= 5 else 0.7):
            at = day * DAY_S + rng.uniform(10, 20) * 3600
            stays_over = rng.random() < self.overnight
            until = (day + 1) * DAY_S + rng.uniform(8, 11) * 3600 if stays_over else at + rng.uniform(0.5, 4) * 3600
            wishes.append((at, "visit", (until, (rng.choice((1, 1, 1, 2, 2, 3)),))))
        if rng.random() < self.deliveries_per_day:
            wishes.append((day * DAY_S + rng.uniform(9.5, 20.5) * 3600, "delivery", (0.0, ())))
        for back, members in self.returning:
            wishes.append((back, "back", (0.0, members)))
        for at, people in self.leaving:
            wishes.append((at, "bye", (0.0, (people,))))
        self.returning = [item for item in self.returning if item[0] >= end]
        self.leaving = [item for item in self.leaving if item[0] >= end]
        return self._with_returns(wishes, end)

    def _with_returns(self, wishes: list[Wish], end: float) -> list[Wish]:
        """Plan in order of time who really can go: nobody leaves twice. Adds the returns and farewells of the day."""
        planned: list[Wish] = []
        free_from = [person.away_until for person in self.people]
        for at, what, (until, members) in sorted(wishes, key=lambda wish: (wish[0], wish[1])):
            if what == "trip":
                going = tuple(
                    i for i in members if free_from[i] <= at and self.people[i].from_s <= at < self.people[i].still_s
                )
                if not going or all(self.people[i].kind is Kind.INFANT for i in going):
                    continue
                for i in going:
                    free_from[i] = until
                    self.people[i].away_until = until
                planned.append((at, what, (until, going)))
                coming = tuple(i for i in going if until < self.people[i].to_s)
                if not coming:
                    continue
                if until < end:
                    planned.append((until, "back", (0.0, coming)))
                else:
                    self.returning.append((until, coming))
            elif what == "visit":
                planned.append((at, what, (until, members)))
                if until < end:
                    planned.append((until, "bye", (0.0, members)))
                else:
                    self.leaving.append((until, members[0]))
            else:
                planned.append((at, what, (until, members)))
        return planned

    def _do(self, at: float, what: str, payload: tuple[float, tuple[int, ...]], rng: Random) -> list[Passage]:
        until, members = payload
        if what in ("trip", "back", "arrive"):
            return self._residents_pass(at, members, is_in=what != "trip")
        if what == "bye":
            gone = min(members[0], self.visitors)
            self.visitors -= gone
            return [Passage(at, False, gone)] if gone else []
        if not any(person.is_in and at < person.still_s for person in self.people):
            # Nobody opens; visitors go again, and the farewell that was planned finds nobody.
            self.leaving = [item for item in self.leaving if item[0] != until]
            return []
        if what == "visit":
            self.visitors += members[0]
            return [Passage(at, True, members[0])]
        return self._delivery(at, rng.random())

    def _residents_pass(self, at: float, members: tuple[int, ...], *, is_in: bool) -> list[Passage]:
        moving = [i for i in members if self.people[i].is_in != is_in]
        for i in moving:
            self.people[i].is_in = is_in
        if not moving:
            return []
        infants = sum(self.people[i].kind is Kind.INFANT for i in moving)
        holder = next((i for i in moving if self.people[i].card), None)
        card = self.people[holder].card if is_in and holder is not None else ""
        return [Passage(at, is_in, len(moving), infants, card)]

    @staticmethod
    def _delivery(at: float, kind: float) -> list[Passage]:
        """A courier steps in and out again; or somebody steps out to take it; or neither."""
        if kind < 0.15:
            return [Passage(at, True, 1), Passage(at + 60, False, 1)]
        return [Passage(at, False, 1), Passage(at + 25, True, 1)] if kind < 0.5 else []
