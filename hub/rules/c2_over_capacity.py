"""C2: more people seem to sleep here than may, judged by what is believed of several nights together."""

from datetime import datetime

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.capacity import Limits, unit_cap
from hub.rules.many_nights import (
    Judged,
    chance_above,
    chance_of_at_least,
    in_percent,
    likelier_than_not,
    night_evidence,
    usable_nights,
)
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Finding, Rule, Verdict
from hub.rules.policy import Days, Share, Times
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C2",
    version="2",
    alert_class=AlertClass.COMPLIANCE,
    severity="P2",
    title=Text("疑似超员居住", "Possibly more residents than allowed"),
    trigger=Text(
        "近几夜（02:00–05:00）合起来判断：至少有规定夜数在室人数高于该户人数上限的可能性达到规定值，且设备在线率达标",
        "Judging the recent nights (02:00-05:00) together, it is at least as likely as given that on the given number "
        "of them more people were inside than the unit's cap, with the devices up for the given share",
    ),
    explanation=Text(
        "房屋 {unit}：近 {window} 夜中至少 {needed} 夜在室人数超过上限 {cap} 人的可能性为 {chance}%"
        "（上限依据：{formula_zh}）。其中 {nights} 夜很可能超过；最近一夜估计 {mean} 人（区间 {lower}–{upper}）。"
        "计数不等于身份，请人工核对。",
        "Unit {unit}: with {chance}% probability more people than its cap of {cap} were inside on at least {needed} of "
        "the last {window} nights ({formula_en}); on {nights} of them it was likely. The latest of these: {mean} "
        "estimated ({lower} to {upper}). A count is not an identity; please check.",
    ),
    basis=Text(
        "《住房租赁条例》第7条（单间人数上限、人均最低面积按当地标准）、第39条",
        "Housing Rental Regulation Art. 7 (local limits per room and per head), Art. 39",
    ),
    benign=(
        Text("亲友短住、聚会", "Guests, a party"),
        Text("新生儿或儿童", "A newborn or children"),
        Text("计数误差、反复进出、宠物", "Counter errors, going in and out, pets"),
        Text("夜班作息", "Shift work"),
    ),
    recommended=(ASK_POLITELY, Text("核对房间面积与同住人登记", "Check the rooms' areas and the list of residents")),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Limits, frozen=True, kw_only=True):
    """Limits as for C1; on how many of how many nights; and how likely that must be."""

    nights: Times
    window_days: Days
    min_coverage: Share
    confidence: Share


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About the nights that have ended before `now`."""
    if unit.counting_opt_out:
        return CannotEvaluate(Text("住户选择不参与人数统计", "the household does not take part in counting"))
    if p.not_applicable:
        return FINE
    today = local_day(now)
    cap = unit_cap(unit, p, today)
    if isinstance(cap, Text):
        return CannotEvaluate(cap)
    recent, gap = usable_nights(seen, p.window_days, p.min_coverage, now)
    judged = [Judged(night, cap.people, chance_above(night, cap.people)) for night in recent]
    chance = chance_of_at_least(p.nights, judged)
    if not judged or chance < p.confidence:
        # With too few nights that were seen, they prove nothing either way.
        return CannotEvaluate(gap) if gap is not None and len(recent) < p.nights else FINE
    over = likelier_than_not(judged)
    last = over[-1].night
    return Finding(
        "C2",
        Subject(f"unit:{unit.code}", unit.code, unit.building.code),
        last.at,
        source="nights",
        facts={
            "unit": unit.code,
            "window": p.window_days,
            "needed": p.nights,
            "nights": len(over),
            "chance": in_percent(chance),
            "cap": cap.people,
            "formula_zh": cap.formula.zh,
            "formula_en": cap.formula.en,
            "mean": round(last.mean, 1),
            "lower": last.lower,
            "upper": last.upper,
        },
        evidence=tuple(night_evidence(unit.code, found.night, found) for found in over),
        coverage=min(found.night.coverage for found in over),
    )
