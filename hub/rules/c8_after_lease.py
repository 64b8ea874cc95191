"""C8: a credential is used after the lease's term. A prompt to renew or settle (民法典 734), never to lock out."""

from datetime import datetime, timedelta

from hub.domain.entities import Lease, Unit, record_ref
from hub.domain.local_time import local_day, local_text
from hub.domain.observations import UnitObservations, UseDay
from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Evidence, Finding, Rule, Verdict
from hub.rules.policy import Days, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import ASK_POLITELY, record_evidence

RULE = Rule(
    id="C8",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("租期届满后凭证仍在使用", "Credential used after the lease's term"),
    trigger=Text(
        "租期届满达到规定天数后，该租约的凭证又开门达到规定次数，且台账中未见续租、退租或续租洽谈",
        "The lease's term has been over for the given days, its credentials opened the given number of times "
        "since, and "
        "the registry shows no renewal, end or talks",
    ),
    explanation=Text(
        "房屋 {unit} 的租约 {lease} 已于 {end_on} 届满 {days_over} 天，其后凭证开门 {opens} 次（最近 {last}）。"
        "台账中未见续租或退租记录，请核对：可能已口头续租，请补录或办理续租、退租。",
        "Lease {lease} of unit {unit} ended on {end_on}, {days_over} day(s) ago; its credentials opened {opens} "
        "time(s) "
        "since (last at {last}). The registry shows neither renewal nor end; please check. It may have been "
        "renewed by word.",
    ),
    basis=Text(
        "《民法典》第734条：期满继续使用而出租人未提出异议的，原合同继续有效，租期为不定期；《住房租赁条例》第12条",
        "Civil Code Art. 734: if the tenant stays and the landlord does not object, the lease goes on for an "
        "indefinite "
        "term; Housing Rental Regulation Art. 12",
    ),
    benign=(
        Text("已续租，尚未录入台账", "Renewed, not yet entered"),
        Text("口头续租（不定期租赁）", "Renewed by word: an indefinite lease"),
        Text("搬家收尾、取回物品", "Moving out, fetching belongings"),
    ),
    recommended=(ASK_POLITELY, Text("提醒双方续租或办理退租", "Remind both sides to renew or to settle")),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Opens count from `days_after_end` days after the term."""

    days_after_end: Days
    opens: Times


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About the unit's latest expired lease that nobody ended or renewed."""
    if seen.is_dark:
        return CannotEvaluate(Text("网关或门锁失联", "the gateway or the lock is silent"))
    today = local_day(now)
    running = {lease.room_code for lease in unit.leases if lease.runs_on(today)}
    for lease in sorted(unit.leases, key=lambda found: (found.end_on or today, found.code), reverse=True):
        if not lease.is_expired_on(today) or lease.room_code in running or None in running:
            continue
        if lease.renewal_talks_on is not None:
            continue
        finding = _about(unit, lease, seen, p, now)
        if finding is not None:
            return finding
    return FINE


def _about(unit: Unit, lease: Lease, seen: UnitObservations, p: Parameters, now: datetime) -> Finding | None:
    assert lease.end_on is not None
    first_day = lease.end_on + timedelta(days=p.days_after_end)
    refs = lease_credentials(unit, lease)
    uses = [use for use in seen.uses if use.ref in refs and use.day >= first_day and use.opens]
    opens = sum(use.opens for use in uses)
    if opens < p.opens:
        return None
    last = max(use.last_at for use in uses)
    return Finding(
        "C8",
        Subject(f"unit:{unit.code}", unit.code, unit.building.code),
        last,
        source=lease.code,
        facts={
            "unit": unit.code,
            "lease": lease.code,
            "end_on": lease.end_on.isoformat(),
            "days_over": (local_day(now) - lease.end_on).days,
            "opens": opens,
            "last": local_text(last),
        },
        evidence=(
            record_evidence(
                record_ref("lease", lease.code, lease.entered_at),
                lease.entered_at,
                f"台账：租约 {lease.code} 租期至 {lease.end_on}",
                f"registry: lease {lease.code} ends on {lease.end_on}",
            ),
            *(_use_evidence(use) for use in uses[-10:]),
        ),
    )


def _use_evidence(use: UseDay) -> Evidence:
    return Evidence(
        "event",
        use.last_at,
        Text(f"{use.day} 凭证开门 {use.opens} 次", f"{use.opens} opening(s) on {use.day}"),
        event_id=use.last_event_id,
    )


def lease_credentials(unit: Unit, lease: Lease) -> set[str]:
    """The credentials that were given for a lease: bound to it, or to somebody who lives here under it."""
    people = {o.person.code for o in unit.occupants if o.lease_code == lease.code} | {lease.tenant_code}
    others = {o.person.code for o in unit.occupants if o.lease_code not in {None, lease.code}} - {lease.tenant_code}
    return {
        held.ref
        for held in unit.credentials
        if held.purpose in {"resident", "temporary"}
        and (
            held.lease_code == lease.code
            or (held.lease_code is None and held.person_code in people and held.person_code not in others)
        )
    }
