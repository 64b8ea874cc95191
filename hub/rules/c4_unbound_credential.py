"""C4: a credential that nobody is named for keeps opening a unit."""

from collections import defaultdict
from datetime import datetime, timedelta

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations, UseDay
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, use_evidence
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Days, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import ASK_POLITELY, DARK

RULE = Rule(
    id="C4",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("凭证未绑定人", "A credential bound to nobody"),
    trigger=Text(
        "规定天数内开门达到规定次数的凭证，台账中没有对应的人",
        "A credential opened the given number of times in the given days, and the registry names nobody for it",
    ),
    explanation=Text(
        "房屋 {unit} 有 {credentials} 个凭证近 {days} 天共开门 {opens} 次，台账中未见其持有人，请核对绑定。",
        "Unit {unit}: {credentials} credential(s) opened {opens} time(s) in the last {days} days, and the "
        "registry shows no "
        "holder; please check and bind them.",
    ),
    basis=Text(
        "《浙江省流动人口居住登记条例》第9条；《住房租赁条例》第37条（登记实际居住人）",
        "Zhejiang Residence Registration Regulation Art. 9; Housing Rental Regulation Art. 37 (actual residents)",
    ),
    benign=(
        Text("保洁、房东的卡", "A cleaner's or the landlord's card"),
        Text("导入滞后，尚未绑定", "Not bound yet: the import is late"),
    ),
    recommended=(Text("在台账中将凭证绑定到持有人", "Bind the credential to its holder in the registry"), ASK_POLITELY),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Base, frozen=True, kw_only=True):
    """So many opens in so many days."""

    opens: Times
    window_days: Days


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """Openings within a booked time are a cleaner's or a tradesman's."""
    if seen.is_dark:
        return CannotEvaluate(DARK)
    since = local_day(now) - timedelta(days=p.window_days - 1)
    named = {held.ref for held in unit.credentials if held.person_code or held.is_of_management}
    named |= seen.named_elsewhere
    uses: dict[str, list[UseDay]] = defaultdict(list)
    for use in seen.uses:
        if use.day >= since and use.ref not in named and use.outside_booking:
            uses[use.ref].append(use)
    many = {ref: found for ref, found in uses.items() if sum(use.outside_booking for use in found) >= p.opens}
    if not many:
        return FINE
    found = [use for uses in many.values() for use in uses]
    return about_unit(
        "C4",
        unit,
        max(use.last_at for use in found),
        {
            "credentials": len(many),
            "days": p.window_days,
            "opens": sum(use.outside_booking for use in found),
        },
        [use_evidence(use) for use in found[-20:]],
    )
