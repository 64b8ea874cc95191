"""C6: a tenancy has ended, and the registry shows no report of it when it is due."""

from datetime import datetime

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.domain.workdays import add_workdays
from hub.rules.findings import about_unit, lease_evidence
from hub.rules.model import FINE, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Days, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import BEYOND_CALENDAR

RULE = Rule(
    id="C6",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("退租未报", "Moved out, not reported"),
    trigger=Text(
        "退租达到规定工作日仍未见终止报送",
        "The tenancy ended the given working days ago, and no report of it is in the registry",
    ),
    explanation=Text(
        "房屋 {unit} 的租约 {lease} 已于 {ended} 终止，应于 {due} 前报送，台账中未见终止报送，请核对。",
        "Lease {lease} of unit {unit} ended on {ended}; a report was due by {due} and the registry shows none; "
        "please check.",
    ),
    basis=Text("《浙江省流动人口居住登记条例》第9条第2款", "Zhejiang Residence Registration Regulation Art. 9(2)"),
    benign=(Text("正在续租", "A renewal in progress"), Text("已报送，未录入台账", "Reported, not yet entered")),
    recommended=(Text("提醒房东报送终止信息并补录", "Remind the landlord to report it, and enter that"),),
    forbidden=(NOT_TO_AUTHORITY,),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Due after so many working days; ends older than `look_back_days` are history."""

    due_workdays: Times
    overdue_workdays: Times
    look_back_days: Days


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About tenancies that ended. One that merely expired is C7's and C8's: it may go on (民法典 734)."""
    del seen
    today = local_day(now)
    reported = {found.lease_code for found in unit.registrations if found.kind == "termination"}
    unclear = False
    for lease in sorted(unit.leases, key=lambda found: found.code):
        ended = lease.ended_on
        if ended is None or ended > today or lease.code in reported or (today - ended).days > p.look_back_days:
            continue
        due = add_workdays(ended, p.due_workdays)
        overdue = add_workdays(ended, p.overdue_workdays)
        if due is None or overdue is None:
            unclear = True
        elif today > due:
            facts = {"lease": lease.code, "ended": ended.isoformat(), "due": due.isoformat()}
            return about_unit(
                "C6", unit, now, facts, [lease_evidence(lease)], severity="P2" if today > overdue else "P3"
            )
    return CannotEvaluate(BEYOND_CALENDAR) if unclear else FINE
