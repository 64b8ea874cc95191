"""C9: a unit that the registry calls vacant is being used."""

from datetime import date, datetime, timedelta

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, use_evidence
from hub.rules.many_nights import chance_above, night_evidence, usable_nights
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Days, Share, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import DARK

RULE = Rule(
    id="C9",
    version="2",
    alert_class=AlertClass.COMPLIANCE,
    severity="P2",
    title=Text("空置房有人使用", "A vacant unit in use"),
    trigger=Text(
        "台账为空置，且在预约（看房、维修、保洁）之外有规定个不同日期开门，或有一夜很可能有人在室",
        "The registry has it vacant, and outside booked times it was opened on the given number of different days, or "
        "somebody very probably stayed a night",
    ),
    explanation=Text(
        "房屋 {unit} 台账为空置，近 {window} 天在预约之外有 {days} 天开门、{nights} 夜估计有人。请核对台账状态，"
        "并先联系房东。",
        "Unit {unit} is vacant in the registry, but outside booked times it was opened on {days} day(s) and "
        "somebody seems to "
        "have stayed {nights} night(s) in the last {window} days. Check the registry, and ask the landlord first.",
    ),
    basis=Text("物业与出租人的看管责任；《民法典》第942条", "The duty of care of landlord and property service"),
    benign=(
        Text("看房、施工未预约", "A viewing or building work without a booking"),
        Text("台账状态滞后，已出租", "Let already; the registry is late"),
    ),
    recommended=(
        Text("联系房东核实", "Ask the landlord"),
        Text("已出租的补录租约和居住人", "If it is let, enter the lease and the residents"),
    ),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY, Text("不得擅自入户", "Do not enter on your own")),
)


class Parameters(Base, frozen=True, kw_only=True):
    """So many days with openings, or one night that somebody so likely stayed, within the window."""

    days: Times
    window_days: Days
    min_coverage: Share
    confidence: Share


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """For units that are vacant in the registry all through what was seen."""
    today = local_day(now)
    if unit.people_on(today) or unit.is_let_on(today) or not (unit.is_vacant or unit.leases or unit.occupants):
        return FINE
    since = max([today - timedelta(days=p.window_days - 1), *_left(unit)])
    uses = [use for use in seen.uses if use.day >= since and use.outside_booking]
    days = {use.day for use in uses}
    nights, _ = usable_nights(seen, p.window_days, p.min_coverage, now)
    stayed = [
        night
        for night in nights
        if not night.abstained and night.night > since and chance_above(night, 0) >= p.confidence
    ]
    if len(days) < p.days and not stayed:
        return CannotEvaluate(DARK) if seen.is_dark else FINE
    at = max([use.last_at for use in uses] + [night.at for night in stayed])
    return about_unit(
        "C9",
        unit,
        at,
        {"window": p.window_days, "days": len(days), "nights": len(stayed)},
        [*(use_evidence(use) for use in uses[-20:]), *(night_evidence(unit.code, night) for night in stayed)],
        coverage=min((night.coverage for night in stayed), default=None),
    )


def _left(unit: Unit) -> list[date]:
    """Days after those on which people left or came: belongings are fetched, keys handed over."""
    found = [lease.ended_on for lease in unit.leases if lease.ended_on is not None]
    found += [occupant.to_on for occupant in unit.occupants if occupant.to_on is not None]
    return [day + timedelta(days=1) for day in found]
