"""What was really so: who was inside, which nights were over a limit, and so which alerts are right."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulators.residents.people import DAY_S, Kind
from simulators.residents.plan import Calendar, UnitPlan

NIGHT_FROM_S: Final = 2 * 3600.0
NIGHT_TO_S: Final = 5 * 3600.0
WINDOW_NIGHTS: Final = 7
SUSTAINED_DAYS: Final = 10
"""An excess that lasts so long must be found; a shorter one may be."""

UNUSED_S: Final = 30 * DAY_S
"""A card that was not used for so long tells that its holder does not live here (C10)."""

_UNLOGGED: Final = 3
_LARGE_ROOMS: Final = 10
_LARGE_PEOPLE: Final = 15
_MIN_AREA_M2: Final = 4.0
_MOST_PER_ROOM: Final = 2


class Inside:
    """The number of people inside one unit over time: a step function."""

    def __init__(self, people: int) -> None:
        self.at: list[int] = [0]
        self.people: list[int] = [people]

    def change(self, at_s: float, by: int) -> None:
        """From `at_s` on, `by` more."""
        self.at.append(round(at_s))
        self.people.append(self.people[-1] + by)

    def during(self, at_s: float) -> int:
        """How many at an instant."""
        return self.people[bisect_right(self.at, at_s) - 1]

    def fewest(self, from_s: float, to_s: float) -> int:
        """The smallest number between two instants."""
        first, last = bisect_right(self.at, from_s) - 1, bisect_right(self.at, to_s)
        return min(self.people[first:last])


def cap_of(plan: UnitPlan) -> int | None:
    """How many may live there by Hangzhou's limits (4 m2 of usable area, two to a room unless one family)."""
    lease = plan.entry.lease
    occupants = lease.occupants if lease else []
    total = 0
    for room in plan.entry.rooms:
        if room.kind != "bedroom":
            continue
        inside = [o for o in occupants if o.room == room.name] or occupants
        is_family = bool(inside) and len({o.family for o in inside}) == 1 and inside[0].family != ""
        by_area = int(room.area_m2 / _MIN_AREA_M2)
        total += by_area if is_family else min(by_area, _MOST_PER_ROOM)
    return total


def expect_by_nights(plan: UnitPlan, inside: Inside, calendar: Calendar, *, is_strict: bool) -> None:
    """C2 and C3, for a counted unit: by the fewest people between 02:00 and 05:00 of each night."""
    nights = [inside.fewest(d * DAY_S + NIGHT_FROM_S, d * DAY_S + NIGHT_TO_S) for d in range(1, calendar.days)]
    known = [plan.entry.known_on(calendar.date(d)) for d in range(1, calendar.days)]
    # Where the registry has nobody, people are a question of vacancy: C9.
    over = [k > 0 and n > k for n, k in zip(nights, known, strict=True)]
    _expect_excess(plan, "C3", over, 5, calendar, "more people than the registry has")
    cap = cap_of(plan)
    if is_strict and cap is not None:
        _expect_excess(plan, "C2", [n > cap for n in nights], 3, calendar, f"more people than the cap of {cap}")


def _expect_excess(plan: UnitPlan, rule: str, over: list[bool], needed: int, calendar: Calendar, why: str) -> None:  # noqa: PLR0917  # one expectation, spelled out
    """One expectation for all nights that are over; index 0 is the night to the run's second day."""
    holds = [sum(over[max(0, i - WINDOW_NIGHTS + 1) : i + 1]) >= needed for i in range(len(over))]
    if not any(holds):
        return
    first, last = holds.index(True), len(holds) - 1 - holds[::-1].index(True)
    longest = run = 0
    for held in holds:
        run = run + 1 if held else 0
        longest = max(longest, run)
    from_s = (first + 1) * DAY_S + NIGHT_TO_S
    until_s = (last + 5) * DAY_S + NIGHT_TO_S
    by_s = min(until_s, calendar.end_s) if longest >= SUSTAINED_DAYS else None
    plan.expect(rule, from_s, by_s, why, until_s)


def expect_by_registry(plan: UnitPlan, calendar: Calendar, *, is_strict: bool) -> None:
    """C7 and C14, and what a lease that ran out may lead to."""
    lease = plan.entry.lease
    if lease is None:
        return
    if lease.end is not None and lease.ended_on is None:
        from_s = calendar.seconds(lease.end) - 30 * DAY_S
        if from_s < calendar.end_s:
            plan.expect("C7", from_s, max(from_s, 0.0) + 1.5 * DAY_S, "the term ends")
        if calendar.seconds(lease.end) < calendar.end_s:
            plan.expect("C6", calendar.seconds(lease.end), None, "the term has ended")
    if not lease.contract_no and lease.ended_on is None:
        from_s = calendar.seconds(lease.start)
        plan.expect("C14", from_s, calendar.end_s - DAY_S if is_strict else None, "the contract is not filed")


def expect_by_quiet(plan: UnitPlan, inside: Inside, calendar: Calendar) -> None:
    """W1: nothing passed the door of somebody who asked to be looked after, for a day; or for good."""
    if not plan.entry.watches_elder:
        return
    ends = [*inside.at[1:], round(calendar.end_s)]
    for since, to in zip(inside.at, ends, strict=True):
        if to - since >= 23 * 3600:
            is_sure = to - since >= 30 * 3600
            plan.expect("W1", since + 23 * 3600, since + 30 * 3600 if is_sure else None, "nothing moved", to + 3600)


def expect_by_credentials(plan: UnitPlan, openings: Mapping[str, Sequence[float]], calendar: Calendar) -> None:
    """C10: a resident's card that was not used for 30 days, by every opening there really was; and C4 on the side."""
    if plan.story == "churn":
        plan.expect("C4", 0.0, None, "temporary cards that are bound to nobody")
    lease = plan.entry.lease
    if lease is None or lease.ended_on is not None:
        return
    begin = max(0.0, calendar.seconds(lease.start))
    found: list[tuple[float, float, bool]] = []
    for occupant in lease.occupants:
        if not occupant.card:
            continue
        uses = [begin, *(at for at in openings.get(occupant.card, ()) if at > begin), calendar.end_s]
        for index in range(1, len(uses)):
            # The lock may not have logged the last ones: then the rule rightly counts from an earlier one.
            seen = uses[max(0, index - _UNLOGGED)]
            if uses[index] - seen >= UNUSED_S:
                is_sure = uses[index] - uses[index - 1] >= UNUSED_S + 3 * DAY_S
                found.append((seen + UNUSED_S, uses[index], is_sure))
    told = 0.0
    for from_s, until_s, is_sure in sorted(found):
        # One alert for a unit: while it is open, a second card adds nothing that could be missed.
        by_s = from_s + _UNLOGGED * 2 * DAY_S + 3 * DAY_S if is_sure and from_s >= told else None
        plan.expect("C10", from_s, by_s, "a resident's card is not used", until_s + DAY_S)
        told = max(told, until_s + DAY_S)


def expect_by_detectors(plans: Sequence[UnitPlan], calendar: Calendar) -> tuple[float, float | None] | None:
    """L6 for a building with these units, each with one detector and none in the stairs: from when, and by when."""
    let = [plan for plan in plans if plan.entry.lease is not None and plan.entry.lease.ended_on is None]
    now = [plan for plan in let if plan.entry.lease is not None and plan.entry.lease.start <= calendar.first]
    if not _is_large(let):
        return None
    return (0.0, 2 * DAY_S) if _is_large(now) else (0.0, None)


def _is_large(plans: Sequence[UnitPlan]) -> bool:
    rooms = sum(room.kind == "bedroom" for plan in plans for room in plan.entry.rooms)
    people = sum(len(plan.entry.lease.occupants) for plan in plans if plan.entry.lease is not None)
    return rooms >= _LARGE_ROOMS or people >= _LARGE_PEOPLE


def unit_truth(plan: UnitPlan, inside: Inside, *, is_strict: bool) -> dict[str, Any]:
    """What `truth.json` says of one unit. `inside.at` in seconds since the start."""
    return {
        "story": plan.story,
        "counted": plan.has_counter,
        "cap": cap_of(plan) if is_strict else None,
        "infants": sum(person.kind is Kind.INFANT for person in plan.household.people),
        "inside": {"at": inside.at, "people": inside.people},
    }
