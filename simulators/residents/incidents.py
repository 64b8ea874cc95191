"""What befalls devices, dealt over the units of a run, and the alerts that must come of it."""

from random import Random
from typing import Final

from simulators.residents.noise import Noise
from simulators.residents.people import DAY_S, Kind, Person
from simulators.residents.plan import Builder, Incident, IncidentKind, UnitPlan
from simulators.residents.registry import CardEntry
from simulators.residents.sensors import BATTERY_WARNS_S

PER_UNIT_YEAR: Final[dict[IncidentKind, float]] = {
    "fire": 0.012,
    "smoke_tamper": 0.02,
    "forced": 0.01,
    "duress": 0.006,
    "wrong_tries": 0.03,
    "expired_tries": 0.02,
    "master": 0.04,
}
"""How often each happens; at least once in a run, if it is long enough for its consequences."""

_SOON_S: Final = 180.0


def deal_incidents(plans: list[UnitPlan], builders: list[Builder], noise: Noise, rng: Random) -> None:
    """Give the units their incidents, with the alerts that are right because of them."""
    end = builders[0].calendar.end_s
    for kind, rate in PER_UNIT_YEAR.items():
        for _ in range(max(1, round(rate * len(plans) * end / DAY_S / 365))):
            index = rng.randrange(len(plans))
            _add(plans[index], builders[index], kind, rng.uniform(0.05, 0.9) * end, rng)
    for plan, builder in zip(plans, builders, strict=True):
        for rate, kind in (
            (noise.smoke.cooking_per_day, "cooking"),
            (noise.smoke.battery_fault_per_day, "smoke_battery"),
            (noise.counter.covered_per_day if plan.has_counter else 0.0, "counter_covered"),
        ):
            at = 0.0
            while rate > 0 and (at := at + rng.expovariate(rate) * DAY_S) < end:
                _add(plan, builder, kind, at, rng)


def _add(plan: UnitPlan, b: Builder, kind: IncidentKind, at: float, rng: Random) -> None:
    if any(other.kind == kind and abs(other.at_s - at) < 12 * DAY_S for other in plan.incidents):
        return
    lasts = {
        "fire": rng.uniform(900, 2400), "cooking": rng.uniform(60, 420), "smoke_battery": 10 * DAY_S,
        "smoke_tamper": rng.uniform(600, 86400), "counter_covered": rng.expovariate(1 / 6.0) * 3600 + 180,
    }.get(kind, 0.0)  # fmt: skip
    plan.incidents.append(Incident(at, kind, lasts))
    match kind:
        case "fire" | "cooking":
            plan.expect("L1", at, at + 60, kind, at + lasts + 60)
        case "smoke_battery":
            dead = at + lasts
            # It says so from the first heartbeat of its last days on (`UnitSensors.day`).
            plan.expect("L5", dead - BATTERY_WARNS_S, at + DAY_S, "a dying battery", at + 12 * DAY_S)
            plan.expect("L4", dead, dead + 2 * DAY_S, "no heartbeat any more")
        case "smoke_tamper":
            plan.expect("L4", at, at + _SOON_S, "taken off", at + lasts + DAY_S)
        case "forced":
            plan.expect("S1", at, at + _SOON_S, "forced open", at + 3600)
        case "duress":
            plan.expect("L3", at, at + 60, "duress code", at + 3600)
        case "wrong_tries":
            plan.expect("S2", at, at + 600, "seven wrong tries", at + 3600)
        case "expired_tries":
            plan.entry.cards.append(
                CardEntry(
                    b.card(),
                    "temporary",
                    plan.entry.landlord,
                    b.calendar.at(at - 90 * DAY_S),
                    b.calendar.at(at - DAY_S),
                )
            )
            plan.expect("S6", at, at + 3 * 3600, "a card that is no longer valid", at + 2 * DAY_S)
        case "master":
            card = CardEntry(b.card(), "master", b.person(40))
            plan.entry.cards.append(card)
            plan.household.people.append(
                Person(Kind.HOME, 0.0, is_registered=False, from_s=at + 5, to_s=at + 1500, is_in=False)
            )
            if plan.entry.lease is not None and plan.entry.lease.ended_on is None:
                plan.expect("S4", at, at + _SOON_S, "opened with a master card", at + 3600)
        case "counter_covered":
            plan.expect("S5", at, at + 1800 if lasts > 1800 else None, "the counter was covered", at + lasts + 600)


def card_of(plan: UnitPlan, kind: IncidentKind) -> str:
    """The card that an incident uses: the last of its purpose."""
    purpose = "master" if kind == "master" else "temporary"
    cards = [card.number for card in plan.entry.cards if card.purpose == purpose]
    return cards[-1] if cards else ""
