"""Takes alerts that nobody answered in time one level up, and tells more people. Life safety never waits."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import Integer, bindparam, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from hub.alerts import lifecycle
from hub.alerts.actions import record_action
from hub.alerts.alert_writer import SYSTEM
from hub.domain.stored_event import Change
from hub.domain.subject import AlertClass
from hub.rules.lifecycle_policy import ALERTS, LifecyclePolicy
from hub.rules.policy import Policy, UrgentParameters
from hub.store.base import InstantMs
from hub.store.tables.alerts import AlertRow
from hub.store.upsert import table_of

_SLOWER_AFTER: Final = 10
"""After so many steps each wait is one interval longer: an alert that nobody can answer must not fill the disk."""


_ALERTS: Final = table_of(AlertRow)
_NOW: Final = bindparam("now", type_=InstantMs)
_LATE: Final = (
    select_columns(_ALERTS.c.id)
    .where(
        _ALERTS.c.resolved_at.is_(None),
        or_(
            _ALERTS.c.acknowledged_at.is_(None) & (_ALERTS.c.due_ack_at <= _NOW),
            _ALERTS.c.acknowledged_at.is_not(None) & (_ALERTS.c.due_act_at <= _NOW),
        ),
        or_(
            _ALERTS.c.alert_class == str(AlertClass.LIFE),
            (_ALERTS.c.escalation < bindparam("most", type_=Integer))
            & (_ALERTS.c.escalated_at.is_(None) | (_ALERTS.c.escalated_at <= bindparam("waited", type_=InstantMs))),
        ),
    )
    .order_by(_ALERTS.c.id)
)
"""Built once: it is asked at every tick, and nearly always finds nothing."""

PolicyOf = Callable[[str | None], Policy]


def escalate(session: Session, policy_of: PolicyOf, now: datetime) -> tuple[list[AlertRow], list[Change]]:
    """Step up what is late. Returns those alerts, to be told of, and the changes.

    `policy_of`: what holds for a building; for None, what holds everywhere.
    """
    general = policy_of(None).of(ALERTS, LifecyclePolicy)
    general_wait = timedelta(seconds=general.escalate_every_s)
    bound = {"now": now, "waited": now - general_wait, "most": general.escalate_most}
    numbers = list(session.connection().execute(_LATE, bound).scalars())
    if not numbers:
        return [], []
    query = select(AlertRow).where(col(AlertRow.id).in_(numbers)).order_by(col(AlertRow.id))
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
