"""C1: by the registry alone, more people are registered in a room or unit than it may house."""

from collections.abc import Sequence
from datetime import datetime

from hub.domain.entities import Occupant, Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.capacity import Cap, Limits, countable, is_one_family, room_cap, unit_cap
from hub.rules.findings import about_unit, occupant_evidence
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C1",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P2",
    title=Text("登记即超员", "More residents registered than allowed"),
    trigger=Text(
        "台账在住人数（扣除豁免儿童）超过按面积和单间人数计算的上限",
        "The residents in the registry, without exempt children, exceed the cap by area and per room",
    ),
    explanation=Text(
        "房屋 {unit}{where_zh}台账在住 {people} 人，上限 {cap}（{formula_zh}）。请核对面积、家庭关系与入住登记。",
        "Unit {unit}{where_en}: {people} registered, cap {cap} ({formula_en}). Please check areas, family and "
        "registration.",
    ),
    basis=Text(
        "《住房租赁条例》第7条、第39条；上限以当地规则包为准",
        "Housing Rental Regulation Arts. 7 and 39; limits as the local rule pack has them",
    ),
    benign=(
        Text("面积或面积口径录入有误", "A wrong area or area basis"),
        Text("家庭成员未标注", "A family that is not marked as one"),
        Text("未满豁免年龄的儿童", "A child under the exempt age"),
    ),
    recommended=(ASK_POLITELY, Text("请房东调整或补充家庭关系", "Ask the landlord to adjust, or to mark the family")),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Limits, frozen=True, kw_only=True):
    """The limits of the jurisdiction."""


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """Each room whose occupants are known, then the unit as a whole."""
    del seen
    if p.not_applicable:
        return FINE
    today = local_day(now)
    # Guests are for some days; a cap is about those who live here.
    people = tuple(occupant for occupant in unit.people_on(today) if occupant.role != "guest")
    if not people:
        return FINE
    for room in unit.rooms:
        inside = [occupant for occupant in people if occupant.room_code == room.code]
        cap = room_cap(room, p, family=is_one_family(inside)) if inside else None
        # A room that is not habitable is C12's.
        if isinstance(cap, Cap) and cap.people > 0 and countable(inside, p, today) > cap.people:
            return _finding(unit, inside, cap, p=p, now=now, room=room.name or room.code)
    whole = unit_cap(unit, p, today)
    if isinstance(whole, Text):
        return CannotEvaluate(whole)
    if countable(people, p, today) > whole.people:
        return _finding(unit, people, whole, p=p, now=now, room="")
    return FINE


def _finding(
    unit: Unit,
    people: Sequence[Occupant],
    cap: Cap,
    *,
    p: Parameters,
    now: datetime,
    room: str,
) -> Verdict:
    return about_unit(
        "C1",
        unit,
        now,
        {
            "where_zh": f"房间 {room} " if room else "",
            "where_en": f", room {room}" if room else "",
            "people": countable(people, p, local_day(now)),
            "cap": cap.people,
            "formula_zh": cap.formula.zh,
            "formula_en": cap.formula.en,
        },
        [occupant_evidence(occupant) for occupant in people],
    )
