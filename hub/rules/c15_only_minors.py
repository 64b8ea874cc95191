"""C15: everybody registered in a unit is under sixteen. A question at entry; nothing is sensed."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, occupant_evidence
from hub.rules.model import FINE, NOT_TO_AUTHORITY, Rule, Verdict
from hub.rules.policy import Parameters as Base

RULE = Rule(
    id="C15",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("登记人员均为未成年人", "Only minors are registered"),
    trigger=Text("台账在住人全部未满规定年龄", "Everybody in the registry of the unit is under the given age"),
    explanation=Text(
        "房屋 {unit} 台账在住 {people} 人均未满 {age} 周岁，台账中未见监护人，请核对出生日期或补充监护人信息。",
        "Unit {unit}: all {people} registered residents are under {age}, and the registry shows no guardian; "
        "please check the "
        "birth dates or add the guardian.",
    ),
    basis=Text(
        "《未成年人保护法》第21条：未满16周岁不得单独生活", "Minors Protection Law Art. 21: under 16 nobody lives alone"
    ),
    benign=(Text("出生日期录入错误", "A mistyped birth date"), Text("监护人未登记", "The guardian is not entered")),
    recommended=(Text("请房东补充监护人信息", "Ask the landlord for the guardian's details"),),
    forbidden=(NOT_TO_AUTHORITY, Text("不得以任何传感方式判断未成年人独处", "Never sense whether a minor is alone")),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Under this age nobody lives alone."""

    age: Annotated[int, Meta(ge=1, le=18)]


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """By the registry alone."""
    del seen
    today = local_day(now)
    people = unit.people_on(today)
    ages = [occupant.person.age_on(today) for occupant in people]
    if not people or any(age is None or age >= p.age for age in ages):
        return FINE
    facts = {"people": len(people), "age": p.age}
    return about_unit("C15", unit, now, facts, [occupant_evidence(occupant) for occupant in people])
