"""Values of the registry for tests of rules: everything has a default, tests say what matters."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from hub.domain.device_location import Place
from hub.domain.entities import (
    Building,
    Credential,
    Device,
    Lease,
    Occupant,
    Person,
    Registration,
    Room,
    Unit,
)
from hub.domain.observations import Night, UseDay
from hub.policies.packs import standard_packs
from hub.rules.policy import Policy

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
HANGZHOU, JINHUA = "330106", "330702"
V = TypeVar("V")


def days(count: int) -> date:
    """A day so many days from today."""
    return TODAY + timedelta(days=count)


def policy(jurisdiction: str = HANGZHOU, land_type: str = "state") -> Policy:
    """What the shipped packs say there."""
    return standard_packs().policy(jurisdiction, land_type)


def building(**over: Any) -> Building:
    return replace(Building("B1", "一号楼", None, HANGZHOU, "state", True, True), **over)


def person(code: str = "p1", **over: Any) -> Person:
    return replace(Person(code, "张*", True, "id_card", True, True, "360102", None, True), **over)


def room(name: str = "主卧", area: float | None = 14.0, kind: str = "bedroom", basis: str = "usable") -> Room:
    return Room(f"B1-1:{name}", name, kind, area, basis)


def lease(code: str = "L1", **over: Any) -> Lease:
    plain = Lease(code, None, "p1", "p0", days(-200), days(200), None, None, None, None, None, NOW)
    return replace(plain, **over)


def occupant(code: str = "p1", who: Person | None = None, **over: Any) -> Occupant:
    plain = Occupant(f"B1-1/L1/{code}", who or person(code), None, "L1", "tenant", days(-200), None, None, "", NOW)
    return replace(plain, **over)


def credential(ref: str = "hmac:0001", **over: Any) -> Credential:
    plain = Credential(
        ref, "card", "****0001", "B1-1", "p1", "L1", "resident", None, None, None, NOW - timedelta(days=200)
    )
    return replace(plain, **over)


def filed(kind: str = "residence", person_code: str | None = "p1", lease_code: str | None = None) -> Registration:
    return Registration(kind, person_code, lease_code, "filed", days(-190))


def unit(**over: Any) -> Unit:
    plain = Unit(
        code="B1-1",
        building=building(),
        entrance="",
        floor=1,
        door="1",
        let_as="whole",
        is_vacant=False,
        counting_opt_out=False,
        grid_worker="",
        rooms=(room(),),
        leases=(lease(),),
        occupants=(occupant(),),
        registrations=(filed(), filed("contract", None, "L1")),
        credentials=(credential(),),
    )
    return replace(plain, **over)


def vacant(**over: Any) -> Unit:
    return unit(is_vacant=True, leases=(), occupants=(), registrations=(), credentials=(), **over)


def use(day: int, opens: int = 1, ref: str = "hmac:0001", outside: int | None = None) -> UseDay:
    at = NOW + timedelta(days=day)
    return UseDay(ref, days(day), opens, 0, opens if outside is None else outside, 1000 + day, 1000 + day, at)


def night(day: int, lower: int, coverage: float = 1.0, abstained: str = "") -> Night:
    """At least `lower` people, nearly for certain."""
    at = NOW + timedelta(days=day)
    chances = (0.0,) * max(lower - 1, 0) + ((0.01,) if lower else ()) + (0.59, 0.4)
    return Night(days(day), at, lower + 0.4, lower, lower + 1, 0.4, coverage, abstained, 8, chances)


def nights(lowers: list[int], coverage: float = 1.0) -> tuple[Night, ...]:
    """One a day, the last one today."""
    return tuple(night(n - len(lowers) + 1, lower, coverage) for n, lower in enumerate(lowers))


def device(name: str = "smoke-1", kind: str = "smoke", **over: Any) -> Device:
    plain = Device("gw-1", name, kind, "room", "B1", "B1-1", None, 3600, None, None, None, None, NOW)
    return replace(plain, **over)


def place(known: Device | None = None, **over: Any) -> Place:
    known = known or device()
    return replace(Place(known.gateway, known.device, known.unit_code, building(), known, is_adopted=True), **over)
