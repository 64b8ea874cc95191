"""C7: a lease ends soon, or has ended: renew or settle."""

from datetime import datetime, timedelta

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, lease_evidence
from hub.rules.model import FINE, NO_ACTUATION, Rule, Verdict
from hub.rules.policy import Days
from hub.rules.policy import Parameters as Base

RULE = Rule(
    id="C7",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P4",
    title=Text("租期将届或已届", "A lease ends, or has ended"),
    trigger=Text(
        "距租期届满不超过规定天数；届满后升级", "The lease ends within the given days; more severe once it has"
    ),
    explanation=Text(
        "房屋 {unit} 的租约 {lease} {state_zh}（{end_on}）。请提醒双方续租或办理退租。",
        "Lease {lease} of unit {unit} {state_en} ({end_on}). Remind both sides to renew or to settle.",
    ),
    basis=Text("《民法典》第734条", "Civil Code Art. 734"),
    benign=(Text("已口头续租", "Renewed by word"), Text("续租手续办理中", "A renewal in progress")),
    recommended=(Text("提醒房东和租客续租或退租结算", "Remind landlord and tenant to renew or to settle"),),
    forbidden=(NO_ACTUATION,),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Reminds so many days before; a lease that ended longer ago than `look_back_days` is C8's alone."""

    before_days: Days
    overdue_after_days: Days
    look_back_days: Days


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About the lease that ends last; a following lease settles it."""
    del seen
    today = local_day(now)
    ends = [lease for lease in unit.leases if lease.end_on is not None and lease.ended_on is None]
    for lease in sorted(ends, key=lambda found: (found.end_on or today, found.code)):
        assert lease.end_on is not None
        days = (lease.end_on - today).days
        if days > p.before_days or -days > p.look_back_days or lease.start_on > today:
            continue
        after = lease.end_on + timedelta(days=1)
        if any(
            other.code != lease.code
            and other.room_code in {None, lease.room_code}
            and other.start_on <= after
            and (other.end_on is None or other.end_on > lease.end_on)
            for other in unit.leases
        ):
            continue
        is_over = -days >= p.overdue_after_days
        return about_unit(
            "C7",
            unit,
            now,
            {
                "lease": lease.code,
                "end_on": lease.end_on.isoformat(),
                "days": days,
                "state_zh": f"将于 {days} 天后届满" if days >= 0 else f"已届满 {-days} 天",
                "state_en": f"ends in {days} day(s)" if days >= 0 else f"ended {-days} day(s) ago",
            },
            [lease_evidence(lease)],
            severity="P3" if is_over else "P4",
        )
    return FINE
