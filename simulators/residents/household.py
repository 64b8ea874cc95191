"""One unit's life, day by day: who passes its door, and with which credential. The truth, before any sensor."""

from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from simulators.residents.people import DAWN_S, DAY_S, Kind, Person, trips_of_day

RESIDENT: Final = "resident"
VISITOR: Final = "visitor"


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
class Stay:
    """Visitors who stay from `from_s` to `to_s`."""

    from_s: float
    to_s: float
    people: int


@dataclass(slots=True)
class Household:
    """Whoever is in a unit. `inside` is the truth; it changes only by the passages that `day` returns.

    `visits_per_day`, `overnight`: how often visitors come, and which share of them stays the night.
    """

    people: list[Person]
    absences: list[Absence] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
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

    def _wishes(self, day: int, weekday: int, rng: Random) -> list[tuple[float, str, tuple[float, tuple[int, ...]]]]:
        start, end = day * DAY_S + DAWN_S, (day + 1) * DAY_S + DAWN_S
        wishes: list[tuple[float, str, tuple[float, tuple[int, ...]]]] = [
            (trip.out_s, "trip", (trip.back_s, trip.members)) for trip in trips_of_day(self.people, day, weekday, rng)
        ]
        for index, person in enumerate(self.people):
            if start <= person.from_s < end:
                wishes.append((person.from_s, "arrive", (0.0, (index,))))
            if start <= person.to_s < end:
                wishes.append((person.to_s, "trip", (float("inf"), (index,))))
        for absence in self.absences:
            if start <= absence.from_s < end:
                wishes.append((absence.from_s, "trip", (absence.to_s, tuple(range(len(self.people))))))
        for stay in self.stays:
            if start <= stay.from_s < end:
                wishes.append((stay.from_s, "visit", (stay.to_s, (stay.people,))))
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

    def _with_returns(
        self, wishes: list[tuple[float, str, tuple[float, tuple[int, ...]]]], end: float
    ) -> list[tuple[float, str, tuple[float, tuple[int, ...]]]]:
        """Plan in order of time who really can go: nobody leaves twice. Adds the returns and farewells of the day."""
        planned: list[tuple[float, str, tuple[float, tuple[int, ...]]]] = []
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
                if until < end:
                    planned.append((until, "back", (0.0, going)))
                elif until < float("inf"):
                    self.returning.append((until, going))
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
        _, members = payload
        if what in ("trip", "back", "arrive"):
            is_in = what != "trip"
            moving = [i for i in members if self.people[i].is_in != is_in]
            for i in moving:
                self.people[i].is_in = is_in
            if not moving:
                return []
            infants = sum(self.people[i].kind is Kind.INFANT for i in moving)
            adult = next((i for i in moving if self.people[i].card), None)
            card = self.people[adult].card if is_in and adult is not None else ""
            return [Passage(at, is_in, len(moving), infants, card)]
        if what == "visit":
            if not any(person.is_in and at < person.still_s for person in self.people):
                # Nobody opens; they go again, and the farewell that was planned finds nobody.
                self.leaving = [item for item in self.leaving if item[0] != payload[0]]
                return []
            self.visitors += members[0]
            return [Passage(at, True, members[0])]
        if what == "bye":
            gone = min(members[0], self.visitors)
            self.visitors -= gone
            return [Passage(at, False, gone)] if gone else []
        if not any(person.is_in and at < person.still_s for person in self.people):
            return []
        kind = rng.random()
        if kind < 0.15:
            return [Passage(at, True, 1), Passage(at + 60, False, 1)]
        if kind < 0.5:
            return [Passage(at, False, 1), Passage(at + 25, True, 1)]
        return []
