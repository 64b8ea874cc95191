"""The stories that units of a run live, and how many units live each."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Final

from simulators.residents.household import Absence, Household
from simulators.residents.people import DAY_S, Kind, Person
from simulators.residents.plan import Builder, UnitPlan
from simulators.residents.registry import BookingEntry, CardEntry, GuestEntry, RoomEntry

NEVER: Final = float("inf")


def household_of(rng: Random) -> tuple[list[Person], bool]:
    """An ordinary household, and whether it is a family."""
    kind = rng.choices(("single", "couple", "family", "flatmates", "elder"), (40, 25, 14, 16, 5))[0]
    workers = (Kind.OFFICE, Kind.OFFICE, Kind.OFFICE, Kind.SHIFT, Kind.RIDER, Kind.HOME)

    def adult() -> Person:
        return Person(rng.choice(workers), activity=rng.lognormvariate(0, 0.4), age=rng.randint(20, 55))

    if kind == "single":
        return [adult()], False
    if kind == "couple":
        return [adult(), adult()], True
    if kind == "flatmates":
        return [adult() for _ in range(rng.randint(2, 4))], False
    if kind == "elder":
        return [
            Person(Kind.ELDER, rng.lognormvariate(0, 0.4), age=rng.randint(66, 84)) for _ in range(rng.randint(1, 2))
        ], True
    child = Person(Kind.STUDENT, age=rng.randint(7, 15)) if rng.random() < 0.55 else Person(Kind.INFANT, age=1)
    carer = Person(Kind.HOME, rng.lognormvariate(0, 0.4), age=rng.randint(25, 45))
    return [adult(), carer, child], True


def plain(b: Builder, people: list[Person] | None = None, *, is_family: bool | None = None) -> UnitPlan:
    """People who are all in the registry, and whose lease outlasts the run."""
    found, family = household_of(b.rng)
    people = found if people is None else people
    unit = b.unit(b.rooms(sum(person.is_registered for person in people)))
    start = b.days_from(-500, -20)
    b.lease(
        unit, people, start=start, end=b.days_from(b.calendar.days + 45, b.calendar.days + 500),
        is_family=family if is_family is None else is_family,
    )  # fmt: skip
    household = Household(people, visits_per_day=b.rng.uniform(0.02, 0.25))
    for _ in range(2):
        if b.rng.random() < 0.12 * b.calendar.days / 30:
            at = b.rng.uniform(0, b.calendar.end_s)
            household.absences.append(Absence(at, at + b.rng.uniform(2, 14) * DAY_S))
    return UnitPlan(unit, household, "plain", has_counter=b.rng.random() < 0.6)


def sublet(b: Builder) -> UnitPlan:
    """Two bedrooms, two people in the registry, eight beds."""
    kinds = (Kind.OFFICE, Kind.OFFICE, Kind.RIDER, Kind.SHIFT, Kind.HOME)
    people = [
        Person(
            b.rng.choice(kinds), b.rng.lognormvariate(0, 0.3), is_registered=n < 2, age=b.rng.randint(19, 45), card=""
        )
        for n in range(8)
    ]
    for person in people:
        person.card = b.card()
    plan = plain(b, people, is_family=False)
    plan.entry.rooms = [RoomEntry("A", "bedroom", 14.0), RoomEntry("B", "bedroom", 11.0)]
    plan.entry.cards += [CardEntry(person.card, "resident", plan.entry.landlord) for person in people[2:]]
    for occupant, room in zip(plan.entry.lease.occupants if plan.entry.lease else [], "AB", strict=True):
        occupant.room = room
    plan.has_counter = True
    return plan


def partner(b: Builder) -> UnitPlan:
    """One more grown-up lives there than the registry knows, from some day on; opens with a card of the household."""
    people, family = household_of(b.rng)
    card = b.card()
    people[0].card = card
    from_s = b.rng.choice((float("-inf"), b.rng.uniform(0.1, 0.4) * b.calendar.end_s))
    people.append(Person(Kind.OFFICE, is_registered=False, card=card, from_s=from_s, is_in=from_s < 0))
    plan = plain(b, people, is_family=family)
    plan.has_counter = True
    return plan


def relative(b: Builder) -> UnitPlan:
    """Relatives stay some weeks, and nobody wrote it down."""
    plan = plain(b)
    from_s = b.rng.uniform(0.05, 0.4) * b.calendar.end_s
    to_s = from_s + b.rng.uniform(14, 28) * DAY_S
    plan.household.people += [
        Person(Kind.HOME, is_registered=False, from_s=from_s, to_s=to_s, is_in=False)
        for _ in range(b.rng.choice((1, 2)))
    ]
    plan.has_counter = True
    return plan


def guest(b: Builder) -> UnitPlan:
    """Relatives stay some weeks, and the tenant reported them."""
    plan = plain(b)
    day = b.rng.randint(2, max(3, b.calendar.days // 3))
    stay = b.rng.randint(12, 26)
    for _ in range(b.rng.choice((1, 2))):
        first = b.calendar.date(day)
        person = Person(Kind.HOME, from_s=(day + 0.7) * DAY_S, to_s=(day + stay - 0.5) * DAY_S, is_in=False, age=58)
        plan.household.people.append(person)
        plan.entry.guests.append(GuestEntry(b.person(58), first, first + timedelta(days=stay)))
    plan.has_counter = True
    return plan


def expired_used(b: Builder) -> UnitPlan:
    """The lease ends, the tenants stay, and nobody enters a renewal."""
    plan = plain(b)
    lease = plan.entry.lease
    assert lease is not None  # plain() always makes one
    lease.end = b.days_from(-10, max(b.calendar.days // 2, 1))
    plan.household.absences.clear()
    over = b.calendar.seconds(lease.end) + DAY_S
    plan.expect("C8", over, max(over + 3 * DAY_S, 0) + 4 * DAY_S, "used after the term")
    return plan


def left_unreported(b: Builder) -> UnitPlan:
    """The tenants moved out just before the run; nobody reported it within three working days."""
    plan = plain(b)
    lease = plan.entry.lease
    assert lease is not None  # plain() always makes one
    lease.end = lease.ended_on = b.days_from(-6, -1)
    plan.entry.is_vacant = True
    plan.household = Household([], visits_per_day=0, deliveries_per_day=0)
    plan.expect(
        "C6", b.calendar.seconds(lease.end), max(0.0, b.calendar.seconds(lease.end)) + 12 * DAY_S, "left, not reported"
    )
    return plan


def vacant(b: Builder) -> UnitPlan:
    """Nobody lives there; people come to view it, as agreed."""
    unit = b.unit(b.rooms(b.rng.randint(1, 4)))
    unit.is_vacant = True
    agent = CardEntry(b.card(), "staff", unit.landlord)
    unit.cards.append(agent)
    plan = UnitPlan(
        unit, Household([], visits_per_day=0, deliveries_per_day=0), "vacant", has_counter=b.rng.random() < 0.6
    )
    for day in range(b.calendar.days):
        if b.rng.random() < 0.08:
            at = day * DAY_S + b.rng.uniform(9, 19) * 3600
            from_at, to_at = b.calendar.at(at - 1800), b.calendar.at(at + 5400)
            unit.bookings.append(BookingEntry("viewing", from_at, to_at))
            viewer = Person(
                Kind.HOME, 0.0, is_registered=False, card=agent.number, from_s=at, to_s=at + 1500, is_in=False
            )
            plan.household.people.append(viewer)
    return plan


def vacant_used(b: Builder) -> UnitPlan:
    """A unit that the registry calls vacant has somebody living in it, with the landlord's card."""
    unit = b.unit(b.rooms(2))
    unit.is_vacant = True
    card = CardEntry(b.card(), "resident", unit.landlord)
    unit.cards.append(card)
    from_s = b.rng.uniform(0.03, 0.4) * b.calendar.end_s
    people = [Person(Kind.OFFICE, is_registered=False, card=card.number, from_s=from_s, is_in=False)]
    plan = UnitPlan(unit, Household(people, visits_per_day=0.05), "vacant_used", has_counter=b.rng.random() < 0.6)
    plan.expect("C9", from_s, from_s + 4 * DAY_S, "a vacant unit in use")
    return plan


def absent(b: Builder) -> UnitPlan:
    """The tenant goes away and does not come back."""
    plan = plain(b, [Person(Kind.OFFICE, age=33)], is_family=False)
    plan.household.absences.clear()
    away_s = b.rng.uniform(-0.1, 0.25) * b.calendar.end_s
    plan.household.people[0].to_s = max(away_s, 0.0)
    if away_s <= 0:
        plan.household.people[0].is_in = False
        plan.household.people[0].away_until = NEVER
    return plan


def stray_card(b: Builder) -> UnitPlan:
    """A card that the registry does not know opens the door every working day."""
    plan = plain(b)
    from_s = b.rng.uniform(0.02, 0.4) * b.calendar.end_s
    plan.household.people[0].card = ""
    people = plan.household.people
    people[0].card = b.card()
    people[0].from_s = float("-inf")
    people[0].kind = Kind.OFFICE
    lease = plan.entry.lease
    assert lease is not None  # plain() always makes one
    lease.occupants[0].card = ""
    plan.household.absences = [a for a in plan.household.absences if a.to_s < from_s]
    plan.expect("C4", 0.0, 12 * DAY_S, "a card bound to nobody")
    return plan


def churn(b: Builder) -> UnitPlan:
    """Let by the night: each party has a temporary card for at most three nights. The tenant lives elsewhere."""
    unit = b.unit(b.rooms(3))
    b.lease(unit, [Person(Kind.OFFICE)], start=b.days_from(-400, -60), end=None, is_family=False)
    assert unit.lease is not None  # lease() sets it
    unit.lease.occupants[0].card = ""
    plan = UnitPlan(unit, Household([], visits_per_day=0), "churn", has_counter=b.rng.random() < 0.6)
    from_day = b.rng.randint(1, max(2, b.calendar.days // 3))
    day, parties = from_day, 0
    while day < b.calendar.days:
        nights = b.rng.choice((1, 1, 1, 2, 2))
        if b.rng.random() < 0.85:
            from_s, to_s = (day + 14 / 24) * DAY_S + b.rng.uniform(0, 6) * 3600, (day + nights + 11 / 24) * DAY_S
            card = CardEntry(
                b.card(), "temporary", None, b.calendar.at((day + 0.5) * DAY_S), b.calendar.at(to_s + 3600)
            )
            unit.cards.append(card)
            parties += 1
            for _ in range(b.rng.choice((1, 2, 2))):
                plan.household.people.append(
                    Person(Kind.HOME, is_registered=False, card=card.number, from_s=from_s, to_s=to_s, is_in=False)
                )
            if parties == 6:
                plan.expect("C11", from_day * DAY_S, (day + 6) * DAY_S, "temporary cards without end")
        day += nights
    return plan


def over_cap(b: Builder) -> UnitPlan:
    """Four unrelated people in the registry of a unit with one room: over the limit on paper."""
    plan = plain(b, [Person(Kind.OFFICE, age=b.rng.randint(20, 50)) for _ in range(4)], is_family=False)
    plan.entry.rooms = [RoomEntry("A", "bedroom", 15.0)]
    for occupant in plan.entry.lease.occupants if plan.entry.lease else []:
        occupant.room = "A"
    if b.building.is_strict:
        plan.expect("C1", 0.0, DAY_S, "over the cap by the registry alone")
    return plan


def unregistered(b: Builder) -> UnitPlan:
    """A new lease whose people nobody registered with the police."""
    plan = plain(b)
    lease = plan.entry.lease
    assert lease is not None  # plain() always makes one
    lease.start = b.days_from(-1, max(b.calendar.days - 15, 0))
    lease.filed_on = min(lease.start, b.calendar.first)
    for occupant in lease.occupants:
        occupant.registered_on = None
    begin = b.calendar.seconds(lease.start)
    people = plan.household.people
    for person in people:
        person.is_in, person.from_s = begin < 0, begin + 36000 + b.rng.uniform(0, 20000)
    plan.household.absences.clear()
    plan.expect("C5", begin, max(begin, 0) + 12 * DAY_S, "lease begun, nobody registered")
    return plan


def kitchen(b: Builder) -> UnitPlan:
    """Somebody is registered as living in the kitchen."""
    plan = plain(b, [Person(Kind.OFFICE), Person(Kind.RIDER)], is_family=False)
    plan.entry.rooms = [RoomEntry("A", "bedroom", 12.0), RoomEntry("B", "kitchen", 6.0)]
    for occupant, room in zip(plan.entry.lease.occupants if plan.entry.lease else [], "AB", strict=True):
        occupant.room = room
    plan.expect("C12", 0.0, DAY_S, "a kitchen as a bedroom")
    return plan


def minors(b: Builder) -> UnitPlan:
    """Everybody in the registry is younger than sixteen."""
    plan = plain(b, [Person(Kind.STUDENT, age=b.rng.randint(13, 15)) for _ in range(2)], is_family=True)
    plan.expect("C15", 0.0, DAY_S, "only minors in the registry")
    return plan


def ending(b: Builder) -> UnitPlan:
    """The lease ends after the run, but within the month for which reminders are given."""
    plan = plain(b)
    lease = plan.entry.lease
    assert lease is not None  # plain() always makes one
    lease.end = b.days_from(b.calendar.days + 2, b.calendar.days + 25)
    return plan


def unfiled(b: Builder) -> UnitPlan:
    """The contract was never filed."""
    plan = plain(b)
    lease = plan.entry.lease
    assert lease is not None  # plain() always makes one
    lease.contract_no, lease.filed_on = "", None
    return plan


def elder_alone(b: Builder) -> UnitPlan:
    """An old person who asked to be looked after; for half of them a day comes after which nothing moves any more."""
    plan = plain(b, [Person(Kind.ELDER, 1.4, age=78)], is_family=False)
    plan.entry.watches_elder = True
    plan.household.absences.clear()
    plan.has_counter = True
    if b.rng.random() < 0.5:
        plan.household.people[0].still_s = b.rng.uniform(0.2, 0.8) * b.calendar.end_s
    return plan


STORIES: Final[dict[str, tuple[float, Callable[[Builder], UnitPlan]]]] = {
    "sublet": (0.03, sublet),
    "partner": (0.03, partner),
    "relative": (0.02, relative),
    "guest": (0.02, guest),
    "expired_used": (0.03, expired_used),
    "left_unreported": (0.015, left_unreported),
    "vacant": (0.05, vacant),
    "vacant_used": (0.02, vacant_used),
    "absent": (0.02, absent),
    "stray_card": (0.02, stray_card),
    "churn": (0.015, churn),
    "over_cap": (0.02, over_cap),
    "unregistered": (0.03, unregistered),
    "kitchen": (0.015, kitchen),
    "minors": (0.01, minors),
    "ending": (0.05, ending),
    "unfiled": (0.03, unfiled),
    "elder_alone": (0.02, elder_alone),
}
"""Share of the units, and the story. The rest are plain."""


def deal(units: int, rng: Random) -> list[str]:
    """A story for each unit: at least one of each kind when there are units enough, in a random order."""
    names: list[str] = []
    for name, (share, _) in STORIES.items():
        names += [name] * max(1, round(share * units))
    names = names[:units] if len(names) > units else names + ["plain"] * (units - len(names))
    rng.shuffle(names)
    return names
