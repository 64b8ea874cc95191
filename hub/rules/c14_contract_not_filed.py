"""C14: a lease runs, and the registry shows no filing of the contract."""

from datetime import datetime

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, lease_evidence
from hub.rules.model import FINE, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Days
from hub.rules.policy import Parameters as Base

RULE = Rule(
    id="C14",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P4",
    title=Text("合同未备案", "Contract not filed"),
    trigger=Text(
        "起租达到规定天数仍未见租赁备案", "The lease began the given days ago, and no filing is in the registry"
    ),
    explanation=Text(
        "房屋 {unit} 的租约 {lease} 起租 {days} 天，台账中未见租赁合同备案，请核对；租客也可自行备案。",
        "Lease {lease} of unit {unit} began {days} days ago and the registry shows no filing of the contract; "
        "please check. "
        "The tenant may file it too.",
    ),
    basis=Text("《住房租赁条例》第8条（出租人备案，免费；租客可自行备案）", "Housing Rental Regulation Art. 8"),
    benign=(
        Text("集体土地上的房屋，备案办法由省定", "On collective land: the province decides"),
        Text("已备案，未录入", "Filed, not yet entered"),
    ),
    recommended=(
        Text("提醒房东在平台备案", "Remind the landlord to file it on the platform"),
        Text("告知租客可以自行备案", "Tell the tenant that they may file it"),
    ),
)


class Parameters(Base, frozen=True, kw_only=True):
    """After so many days; None: the jurisdiction's term is not known."""

    after_days: Days | None


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About the leases that run today."""
    del seen
    today = local_day(now)
    filed = {found.lease_code for found in unit.registrations if found.kind == "contract"}
    for lease in unit.leases:
        if not lease.runs_on(today) or lease.code in filed:
            continue
        if p.after_days is None:
            return CannotEvaluate(Text("本地区备案期限未知", "the term for filing here is not known"))
        days = (today - lease.start_on).days
        if days > p.after_days:
            return about_unit("C14", unit, now, {"lease": lease.code, "days": days}, [lease_evidence(lease)])
    return FINE
