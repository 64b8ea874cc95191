"""C3: more people seem to live here than the registry has: a prompt to add a resident, never an accusation."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta

from hub.domain.entities import Unit
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit
from hub.rules.many_nights import (
    Judged,
    chance_above,
    chance_of_at_least,
    in_percent,
    likelier_than_not,
    night_evidence,
    usable_nights,
)
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Days, Share, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C3",
    version="3",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("台账外居住", "More people than the registry has"),
    trigger=Text(
        "近几夜（02:00–05:00）合起来判断：至少有规定夜数在室人数高于台账在住人数与访客之和（不计抱着进出的幼儿）的可能性达到规定值",
        "Judging the recent nights (02:00-05:00) together, it is at least as likely as given that on the given number "
        "of them more people were inside than the residents and guests of the registry, without infants, who "
        "are carried",
    ),
    explanation=Text(
        "房屋 {unit}：近 {window} 夜中至少 {needed} 夜在室人数超过台账在住 {known} 人的可能性为 {chance}%"
        "（含访客；未满 {carried} 岁、由大人抱着进出而门口数不到的幼儿不计）。其中 {nights} 夜很可能超过；"
        "最近一夜估计 {mean} 人（{lower}–{upper}）。台账中未见其他居住人，请核对是否需要补充登记。",
        "Unit {unit}: with {chance}% probability more people than the {known} that the registry has were inside on at "
        "least {needed} of the last {window} nights (guests included; children under {carried}, who are carried past "
        "the counter, are left out). On {nights} of them it was likely; the latest of these: {mean} estimated "
        "({lower} to {upper}). The registry shows nobody else; please check whether somebody is to be added.",
    ),
    basis=Text(
        "《浙江省流动人口居住登记条例》第9条、第12条（近亲属短住不超过30日除外）；《住房租赁条例》第37条",
        "Zhejiang Residence Registration Regulation Arts. 9, 12 (relatives staying up to 30 days are exempt); Housing "
        "Rental Regulation Art. 37",
    ),
    benign=(
        Text("30日内短住的亲属", "Relatives who stay up to 30 days"),
        Text("伴侣、护理人员", "A partner, a carer"),
        Text("计数误差", "Counter errors"),
    ),
    recommended=(ASK_POLITELY, Text("提醒住户补充同住人或访客", "Remind the household to add residents or guests")),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Base, frozen=True, kw_only=True):
    """On how many of how many nights, and how likely that must be.

    `carried_under_age`: a younger child is carried past the door, where nobody counts it. Held against the whole
    registry, the one more adult beside a baby would be nobody.
    """

    nights: Times
    window_days: Days
    min_coverage: Share
    confidence: Share
    carried_under_age: Annotated[int, Meta(ge=0, le=6)]


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About the nights that have ended. A vacant unit is C9's."""
    if unit.counting_opt_out:
        return CannotEvaluate(Text("住户选择不参与人数统计", "the household does not take part in counting"))
    recent, gap = usable_nights(seen, p.window_days, p.min_coverage, now)
    # A unit without residents or lease is a question of vacancy (C9), not of a missing co-resident.
    judged = [
        Judged(night, known, chance_above(night, known))
        for night in recent
        if (known := _walkers_on(unit, night.night, p.carried_under_age))
    ]
    chance = chance_of_at_least(p.nights, judged)
    if not judged or chance < p.confidence:
        return CannotEvaluate(gap) if gap is not None and len(recent) < p.nights else FINE
    over = likelier_than_not(judged)
    last = over[-1].night
    return about_unit(
        "C3",
        unit,
        last.at,
        {
            "window": p.window_days,
            "needed": p.nights,
            "nights": len(over),
            "chance": in_percent(chance),
            "known": over[-1].limit,
            "carried": p.carried_under_age,
            "mean": round(last.mean, 1),
            "lower": last.lower,
            "upper": last.upper,
        },
        [night_evidence(unit.code, found.night, found) for found in over],
        coverage=min(found.night.coverage for found in over),
    )


def _walkers_on(unit: Unit, day: date, carried_under_age: int) -> int:
    """Whom the registry has here that day and a counter at the door can see."""
    ages = (occupant.person.age_on(day) for occupant in unit.people_on(day))
    return sum(age is None or age >= carried_under_age for age in ages)
