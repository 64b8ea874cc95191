"""Which places of a house need a smoke detector, and have none."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from hub.domain.local_time import local_day
from hub.policies.building_policies import BuildingPolicies
from hub.read_models.scopes import Houses
from hub.rules import l6_no_detector
from hub.rules.building import BuildingContents, Gap
from hub.rules.policy import PackSet


@dataclass(frozen=True, slots=True)
class Covered:
    """One building. `is_required` by rule L6; None when the jurisdiction's threshold is not known."""

    code: str
    name: str
    rooms: int
    people: int
    is_required: bool | None
    threshold_rooms: int | None
    threshold_people: int | None
    places: int
    gaps: tuple[Gap, ...]


def buildings_covered(
    session: Session, houses: Houses, seen: list[BuildingContents], packs: PackSet, now: datetime
) -> list[Covered]:
    """Every building, in the order of `seen`."""
    policies = BuildingPolicies(session, houses.registry, packs, now)
    day = local_day(now)
    found = []
    for building in seen:
        p = policies.of(building.building).of("L6", l6_no_detector.Parameters)
        found.append(
            Covered(
                code=building.building.code,
                name=building.building.name,
                rooms=building.rooms(day),
                people=building.people(day),
                is_required=l6_no_detector.is_required(building, p, day),
                threshold_rooms=p.rooms,
                threshold_people=p.people,
                places=building.places(day),
                gaps=tuple(building.gaps(day)),
            )
        )
    return found
