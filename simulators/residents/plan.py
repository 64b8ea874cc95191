"""One unit of a run as it is planned: its registry, its household, what will befall it, and what must be found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Final, Literal

from simulators.residents.household import Household
from simulators.residents.people import DAY_S, Kind, Person
from simulators.residents.registry import (
    LeaseEntry,
    Named,
    OccupantEntry,
    RoomEntry,
    UnitEntry,
    birthday,
    invented_person,
)
from simulators.residents.site import Address, Building

CHINA: Final = timezone(timedelta(hours=8))

IncidentKind = Literal[
    "fire", "cooking", "smoke_battery", "smoke_tamper", "forced", "duress", "wrong_tries", "expired_tries", "master",
    "counter_covered",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that befalls a unit's device at `at_s`."""

    at_s: float
    kind: IncidentKind
    lasts_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that is right about `subject`, opened from `from_s` on.

    `by_s`: by then it must have been raised; None: it may be raised, and nobody is blamed if not. `until_s`: until when
    opening it is right. All in seconds since the start of the run.
    """

    rule: str
    subject: str
    from_s: float
    by_s: float | None
    why: str
    until_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Between dates and seconds of a run that begins at local midnight of `first` and lasts `days`."""

    first: date
    days: int

    @property
    def start(self) -> datetime:
        """The first instant, in UTC."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=CHINA).astimezone(UTC)

    @property
    def end_s(self) -> float:
        """The run's length."""
        return self.days * DAY_S

    def at(self, seconds: float) -> datetime:
        """The instant, in UTC."""
        return self.start + timedelta(seconds=seconds)

    def seconds(self, day: date) -> float:
        """Local midnight of a day."""
        return (day - self.first).days * DAY_S

    def date(self, day: int) -> date:
        """The run's `day`-th date, from 0."""
        return self.first + timedelta(days=day)


@dataclass(slots=True)
class UnitPlan:
    """A unit and all that is known of it beforehand."""

    entry: UnitEntry
    household: Household
    story: str
    has_counter: bool
    incidents: list[Incident] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    def expect(self, rule: str, from_s: float, by_s: float | None, why: str, until_s: float = float("inf")) -> None:
        """Note an alert about this unit."""
        self.expected.append(Expected(rule, self.entry.code, from_s, by_s, why, until_s))


@dataclass(slots=True)
class Builder:
    """What stories build units with. `rng` is the unit's own, so that one story never changes another's draw."""

    calendar: Calendar
    address: Address
    building: Building
    rng: Random
    next_number: Callable[[], int]

    def person(self, age: int) -> Named:
        """Somebody new for the registry."""
        return invented_person(self.next_number(), birthday(age, self.calendar.first, self.rng), self.rng)

    def card(self) -> str:
        """A card number that nobody else has."""
        return f"{70_000_000 + self.next_number()}"

    def rooms(self, people: int) -> list[RoomEntry]:
        """Lawful bedrooms for so many: at most two to a room, 8 to 16 m2 each."""
        return [
            RoomEntry(chr(ord("A") + n), "bedroom", float(self.rng.randrange(8, 17)))
            for n in range(max(1, -(-people // 2)))
        ]

    def unit(self, rooms: list[RoomEntry]) -> UnitEntry:
        """The unit at this address."""
        where = self.address
        return UnitEntry(where.code, where.building, "1", where.floor, where.door, rooms, self.person(48))

    def days_from(self, low: int, high: int) -> date:
        """A day from `low` to `high` days after the run's first."""
        return self.calendar.date(self.rng.randint(low, high))

    def lease(
        self,
        unit: UnitEntry,
        people: list[Person],
        *,
        start: date,
        end: date | None,
        is_family: bool,
        filed: bool = True,
    ) -> LeaseEntry:
        """A lease with its registered residents; each gets a room and those who are of age a card, on both sides."""
        number = self.next_number()
        occupants: list[OccupantEntry] = []
        for person in (person for person in people if person.is_registered):
            index = len(occupants)
            room = unit.rooms[min(index // 2, len(unit.rooms) - 1)]
            relation = (
                "本人"
                if index == 0
                else ("配偶" if is_family and index == 1 else ("子女" if person.age < 16 else "同住人"))
            )
            entry = OccupantEntry(
                person=self.person(person.age),
                role="tenant" if index == 0 else "co_occupant",
                relation=relation,
                room=room.name,
                registered_on=min(start + timedelta(days=1), self.calendar.first),
                family=f"f{number}" if is_family else "",
            )
            if person.kind is not Kind.INFANT and person.age >= 12:
                entry.card = person.card = person.card or self.card()
            occupants.append(entry)
        lease = LeaseEntry(
            code=f"l{number:05d}",
            start=start,
            end=end,
            occupants=occupants,
            contract_no=f"HT{number:07d}" if filed else "",
            filed_on=min(start + timedelta(days=3), self.calendar.first) if filed else None,
        )
        unit.lease = lease
        return lease
