"""Takes alerts that nobody answered in time one level up, and tells more people. Life safety never waits."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final

from sqlmodel import Session, col, or_, select

from hub.alerts import lifecycle
from hub.alerts.book import SYSTEM
from hub.alerts.service import record_action
from hub.facts import Change
from hub.rules.lifecycle_policy import ALERTS, LifecyclePolicy
from hub.rules.model import AlertClass
from hub.rules.policy import Policy, UrgentParameters
from hub.store.tables.alerts import AlertRow

_SLOWER_AFTER: Final = 10
"""After so many steps each wait is one interval longer: an alert that nobody can answer must not fill the disk."""


PolicyOf = Callable[[str | None], Policy]


def escalate(session: Session, policy_of: PolicyOf, now: datetime) -> tuple[list[AlertRow], list[Change]]:
    """Step up what is late. Returns those alerts, to be told of, and the changes.

    `policy_of`: what holds for a building; for None, what holds everywhere.
    """
    general = policy_of(None).of(ALERTS, LifecyclePolicy)
    general_wait = timedelta(seconds=general.escalate_every_s)
    query = select(AlertRow).where(
        col(AlertRow.resolved_at).is_(None),
        or_(
            col(AlertRow.acknowledged_at).is_(None) & (col(AlertRow.due_ack_at) <= now),
            col(AlertRow.acknowledged_at).is_not(None) & (col(AlertRow.due_act_at) <= now),
        ),
        or_(
            AlertRow.alert_class == AlertClass.LIFE,
            (col(AlertRow.escalation) < general.escalate_most)
            & (col(AlertRow.escalated_at).is_(None) | (col(AlertRow.escalated_at) <= now - general_wait)),
        ),
    )
    late: list[AlertRow] = []
    changes: list[Change] = []
    for alert in session.exec(query).all():
        if not lifecycle.is_late(alert, now):
            continue
        own = policy_of(alert.building_code).base(alert.rule_id)
        every_s = own.escalate_every_s if isinstance(own, UrgentParameters) else general.escalate_every_s
        wait = timedelta(seconds=every_s) * max(1, alert.escalation - _SLOWER_AFTER)
        if alert.escalated_at is not None and now - alert.escalated_at < wait:
            continue
        alert.escalation += 1
        alert.escalated_at = now
        changes.append(record_action(session, alert, SYSTEM, "escalate", now, detail=str(alert.escalation)))
        late.append(alert)
    return late, changes


def night_of(policy: Policy) -> tuple[time, time]:
    """From when to when only life safety and security may wake somebody, local time."""
    p = policy.of(ALERTS, LifecyclePolicy)
    return time.fromisoformat(p.night_from), time.fromisoformat(p.night_to)
