"""C3: more people seem to live here than the ledger has: a prompt to add a resident, never an accusation."""

from datetime import datetime

from hub.rules.c2_over_capacity import night_evidence, usable_nights
from hub.rules.findings import about_unit
from hub.rules.known import UnitKnown
from hub.rules.model import (
    FINE,
    NO_ACTUATION,
    NOT_TO_AUTHORITY,
    AlertClass,
    CannotEvaluate,
    Rule,
    Text,
    Verdict,
)
from hub.rules.policy import Days, Share, Times
from hub.rules.policy import Parameters as Base
from hub.rules.seen import UnitSeen
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C3",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("台账外居住", "More people than the ledger has"),
    trigger=Text(
        "规定天数内有规定夜数，在室人数的90%下限高于台账在住人数与访客之和",
        "On the given number of recent nights the 90 % lower bound of people inside is above the residents and "
        "guests of "
        "the ledger",
    ),
    explanation=Text(
        "房屋 {unit} 近 {window} 天有 {nights} 夜估计在室人数下限高于台账在住 {known} 人（含访客）。"
        "最近一夜估计 {mean} 人"
        "（{lower}–{upper}）。台账中未见其他居住人，请核对是否需要补充登记。",
        "Unit {unit}: on {nights} of the last {window} days the lower bound of people inside was above the "
        "{known} that the "
        "ledger has (guests included). Last night: {mean} estimated ({lower} to {upper}). The ledger shows "
        "nobody else; "
        "please check whether somebody is to be added.",
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
    """On how many of how many nights."""

    nights: Times
    window_days: Days
    min_coverage: Share


def evaluate(unit: UnitKnown, seen: UnitSeen, p: Parameters, now: datetime) -> Verdict:
    """About the nights that have ended. A vacant unit is C9's."""
    if unit.counting_opt_out:
        return CannotEvaluate(Text("住户选择不参与人数统计", "the household does not take part in counting"))
    recent, gap = usable_nights(seen, p.window_days, p.min_coverage, now)
    # A unit without residents or lease is a question of vacancy (C9), not of a missing co-resident.
    over = [night for night in recent if (known := len(unit.people_on(night.night))) and night.lower > known]
    if len(over) < p.nights:
        if gap is not None and len(recent) < p.nights:
            return CannotEvaluate(gap)
        return FINE
    last = over[-1]
    return about_unit(
        "C3",
        unit,
        last.at,
        {
            "window": p.window_days,
            "nights": len(over),
            "known": len(unit.people_on(last.night)),
            "mean": round(last.mean, 1),
            "lower": last.lower,
            "upper": last.upper,
        },
        [night_evidence(unit.code, night) for night in over],
        coverage=min(night.coverage for night in over),
    )
