"""How many people a unit may house, by the pack that holds for it: the formula that C1, C2 and the unit's page share.

Per room: min(floor(area / min area), most per room unless one family lives there). Rooms that are not habitable
(住房租赁条例 Art. 7) add nothing. An unknown limit, a missing area or another area basis gives no number at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta

from hub.domain.entities import Occupant, Room, Unit
from hub.domain.text import Text
from hub.rules.policy import Area, Times
from hub.rules.policy import Parameters as Base

HABITABLE: Final = frozenset({"bedroom", "living_room", "studio", "dormitory"})
NOT_HABITABLE: Final = frozenset({"kitchen", "bathroom", "balcony", "corridor", "basement", "garage"})
AREA_WORDS: Final = {"usable": "使用面积", "habitable": "居住面积", "gross": "建筑面积"}
_ANY_BASIS: Final = "any"


class Limits(Base, frozen=True, kw_only=True):
    """A jurisdiction's limits; None is an unknown one. `exempt_under_age`: younger children are not counted."""

    min_area_m2: Area | None
    area_basis: Literal["usable", "habitable", "gross", "any"] | None
    most_per_room: Times | None
    family_excepted: bool
    exempt_under_age: Annotated[int, Meta(ge=0, le=18)] | None
    not_applicable: bool = False


@dataclass(frozen=True, slots=True)
class Cap:
    """The most people a place may house, and how that was worked out."""

    people: int
    formula: Text


def countable(people: Sequence[Occupant], limits: Limits, day: date) -> int:
    """How many of these people a cap counts."""
    if limits.exempt_under_age is None:
        return len(people)
    ages = (occupant.person.age_on(day) for occupant in people)
    return sum(1 for age in ages if age is None or age >= limits.exempt_under_age)


def is_one_family(people: Sequence[Occupant]) -> bool:
    """Whether all of them are marked as one family (the exemption of the per-room limit)."""
    groups = {occupant.family_group for occupant in people}
    return len(people) > 0 and len(groups) == 1 and "" not in groups


def room_cap(room: Room, limits: Limits, *, family: bool) -> Cap | Text:
    """A room's cap, or why there is none."""
    name = room.name or room.code
    if limits.min_area_m2 is None or limits.most_per_room is None or limits.area_basis is None:
        return Text("本地区人均面积或单间人数上限未知", "the limits of this jurisdiction are not known")
    if room.room_type in NOT_HABITABLE:
        return Cap(0, Text(f"{name}：非居住空间", f"{name}: not habitable"))
    if room.area_m2 is None:
        return Text(f"房间 {name} 未登记面积", f"room {name}: no area in the registry")
    if limits.area_basis not in {_ANY_BASIS, room.area_basis}:
        wanted = AREA_WORDS[limits.area_basis]
        return Text(
            f"房间 {name} 的面积口径与规则要求的{wanted}不一致",
            f"room {name}: its area is {room.area_basis}, the rule needs {limits.area_basis}",
        )
    by_area = int(room.area_m2 / limits.min_area_m2 + 1e-9)
    formula = f"{room.area_m2:g}㎡ ÷ {limits.min_area_m2:g}㎡ = {by_area}"
    if family and limits.family_excepted:
        return Cap(by_area, Text(f"{name}：{formula}（家庭成员）", f"{name}: {formula} (one family)"))
    people = min(by_area, limits.most_per_room)
    return Cap(
        people,
        Text(
            f"{name}：min({formula}，每间 {limits.most_per_room})",
            f"{name}: min({formula}, {limits.most_per_room} a room)",
        ),
    )


def unit_cap(unit: Unit, limits: Limits, day: date) -> Cap | Text:
    """The unit's cap: the sum of its rooms'. The family exemption is judged for each room, or for a unit let whole."""
    if not unit.rooms:
        return Text("未登记房间及面积", "no rooms in the registry")
    people = unit.people_on(day)
    total = 0
    parts: list[Text] = []
    for room in unit.rooms:
        if room.room_type not in HABITABLE and room.room_type not in NOT_HABITABLE:
            return Text(f"房间 {room.name or room.code} 的类型未知", f"room {room.name or room.code}: unknown type")
        inside = [o for o in people if o.room_code == room.code] or (people if unit.let_as == "whole" else [])
        found = room_cap(room, limits, family=is_one_family(inside))
        if isinstance(found, Text):
            return found
        total += found.people
        if found.people:
            parts.append(found.formula)
    return Cap(
        total,
        Text("；".join(p.zh for p in parts) + f"；合计 {total}", "; ".join(p.en for p in parts) + f"; in all {total}"),
    )
