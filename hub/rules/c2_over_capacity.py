"""C2: more people seem to sleep here than may, judged by the lower bound of what is believed, over several nights."""

from datetime import datetime, timedelta

from hub.rules.capacity import Limits, unit_cap
from hub.rules.known import UnitKnown
from hub.rules.local_time import local_day
from hub.rules.model import (
    FINE,
    NO_ACTUATION,
    NOT_TO_AUTHORITY,
    AlertClass,
    CannotEvaluate,
    Evidence,
    Finding,
    Rule,
    Subject,
    Text,
    Verdict,
)
from hub.rules.policy import Days, Share, Times
from hub.rules.seen import Night, UnitSeen
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C2",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P2",
    title=Text("疑似超员居住", "Possibly more residents than allowed"),
    trigger=Text(
        "规定天数内有规定夜数，02:00–05:00 在室人数的90%下限高于该户人数上限，且设备在线率达标",
        "On the given number of recent nights the 90 % lower bound of people inside (02:00-05:00) is above the "
        "unit's cap, "
        "with the devices up for the given share",
    ),
    explanation=Text(
        "房屋 {unit} 近 {window} 天有 {nights} 夜估计在室人数下限高于上限 {cap}（上限依据：{formula_zh}）。"
        "最近一夜估计 {mean} 人（区间 {lower}–{upper}）。计数不等于身份，请人工核对。",
        "Unit {unit}: on {nights} of the last {window} days the lower bound of people inside was above its cap "
        "of {cap} "
        "({formula_en}). Last night: {mean} estimated ({lower} to {upper}). A count is not an identity; please check.",
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
    """Limits as for C1, and on how many of how many nights."""

    nights: Times
    window_days: Days
    min_coverage: Share


def evaluate(unit: UnitKnown, seen: UnitSeen, p: Parameters, now: datetime) -> Verdict:
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
    over = [night for night in recent if night.lower > cap.people]
    if len(over) < p.nights:
        # With enough blind nights among them, the ones that were seen prove nothing either way.
        if gap is not None and len(over) + (p.window_days - len(recent)) >= p.nights and len(recent) < p.nights:
            return CannotEvaluate(gap)
        return FINE
    last = over[-1]
    return Finding(
        "C2",
        Subject(f"unit:{unit.code}", unit.code, unit.building.code),
        last.at,
        source="nights",
        facts={
            "unit": unit.code,
            "window": p.window_days,
            "nights": len(over),
            "cap": cap.people,
            "formula_zh": cap.formula.zh,
            "formula_en": cap.formula.en,
            "mean": round(last.mean, 1),
            "lower": last.lower,
            "upper": last.upper,
        },
        evidence=tuple(night_evidence(unit.code, night) for night in over),
        coverage=min(night.coverage for night in over),
    )


def usable_nights(
    seen: UnitSeen, window_days: int, min_coverage: float, now: datetime
) -> tuple[list[Night], Text | None]:
    """The nights of the window that can be relied on, oldest first, and why others (or all) cannot."""
    first = local_day(now) - timedelta(days=window_days - 1)
    inside = sorted((night for night in seen.nights if night.night >= first), key=lambda night: night.night)
    usable = [night for night in inside if not night.abstained and night.coverage >= min_coverage]
    if len(usable) == window_days:
        return usable, None
    if not inside:
        return usable, Text("没有覆盖本户的人数统计", "no counter covers this unit")
    return usable, Text("在线率不足或误差过大的夜晚不作判断", "nights with poor coverage or wide error are not judged")


def night_evidence(unit: str, night: Night) -> Evidence:
    """One night's estimate as evidence."""
    return Evidence(
        "estimate",
        night.at,
        Text(
            f"{night.night} 夜间估计 {night.mean:.1f} 人（{night.lower}–{night.upper}），在线率 {night.coverage:.0%}",
            f"night to {night.night}: {night.mean:.1f} people ({night.lower} to {night.upper}), coverage "
            f"{night.coverage:.0%}",
        ),
        ref=f"night:{unit}:{night.night}",
    )
