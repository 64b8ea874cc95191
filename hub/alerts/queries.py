"""Reading alerts: lists with a cursor, one alert with everything, counts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import ColumnElement, and_, case, literal, or_
from sqlmodel import Session, col, func, select

from hub.alerts.lifecycle import may_leave_house
from hub.alerts.views import (
    ActionView,
    AlertCounts,
    AlertDetail,
    AlertFilter,
    AlertOrder,
    AlertSummary,
    EvidenceView,
    ParameterView,
)
from hub.domain.scopes import within_any
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.errors import NotFoundError
from hub.rules.catalogue import rule
from hub.store.base import InstantMs
from hub.store.tables.alerts import AlertAction, AlertEvidence, AlertRow

NEVER_DUE: Final = datetime(9999, 1, 1, tzinfo=UTC)


class Place(msgspec.Struct, frozen=True):
    """Where a page of a list ends: the last line's number and what it was ordered by (nothing for `newest`)."""

    id: int
    severity: str | None = None
    due: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def list_alerts(
    session: Session,
    wanted: AlertFilter,
    now: datetime,
    *,
    order: AlertOrder = "newest",
    after: Place | None = None,
    limit: int = 50,
) -> tuple[list[AlertSummary], Place | None]:
    """The lines of a page and, when there are more, its `Place`, the `after` of the next page.

    `newest` first; `urgent`: the gravest first, among equals the newest; `due`: whose limit comes or came first.
    Raises ValueError for a place of another order.
    """
    number = col(AlertRow.id)
    key = _key(order)
    query = select(AlertRow).where(*_conditions(wanted, now)).limit(limit + 1)
    query = query.order_by(number.desc()) if key is None else query.order_by(key.asc(), number.desc())
    if after is not None and key is None:
        query = query.where(number < after.id)
    elif after is not None:
        at = after.severity if order == "urgent" else after.due
        if at is None:
            raise ValueError(f"this place is not one of a list ordered by {order}")
        query = query.where(or_(key > at, and_(key == at, number < after.id)))
    rows = list(session.exec(query))
    more = len(rows) > limit
    return [_summary(row) for row in rows[:limit]], (_place(rows[limit - 1], order) if more else None)


def _key(order: AlertOrder) -> Any:
    """What stands before the number in an order, smallest first."""
    match order:
        case "newest":
            return None
        case "urgent":
            return col(AlertRow.severity)
        case "due":
            counts = case((col(AlertRow.acknowledged_at).is_(None), col(AlertRow.due_ack_at)))
            return func.coalesce(counts, AlertRow.due_act_at, literal(NEVER_DUE, InstantMs))


def _place(row: AlertRow, order: AlertOrder) -> Place:
    assert row.id is not None
    if order == "urgent":
        return Place(row.id, severity=row.severity)
    if order == "due":
        first = row.due_ack_at if row.acknowledged_at is None else None
        return Place(row.id, due=first or row.due_act_at or NEVER_DUE)
    return Place(row.id)


def get_alert(session: Session, alert_id: int, *, evidence_limit: int = 200) -> AlertDetail:
    """One alert with its evidence (the newest `evidence_limit` pieces), rule, parameters and history."""
    row = session.get(AlertRow, alert_id)
    if row is None:
        raise NotFoundError(f"没有预警 {alert_id} / alert {alert_id}: there is none")
    about = rule(row.rule_id)
    evidence = session.exec(
        select(AlertEvidence)
        .where(AlertEvidence.alert_id == alert_id)
        .order_by(col(AlertEvidence.n).desc())
        .limit(evidence_limit)
    )
    actions = session.exec(select(AlertAction).where(AlertAction.alert_id == alert_id).order_by(col(AlertAction.id)))
    return AlertDetail(
        **_summary(row).model_dump(exclude={"title"}),
        title=about.title,
        observed_at=row.observed_at,
        cleared_at=row.cleared_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        cause=row.cause,
        confirmed_by=row.confirmed_by,
        contested_at=row.contested_at,
        explanation=Text(row.explanation_zh, row.explanation_en),
        trigger=about.trigger,
        basis=about.basis,
        benign_explanations=about.benign,
        recommended_actions=about.recommended,
        forbidden_actions=about.forbidden,
        facts=row.facts,
        parameters=tuple(ParameterView.model_validate(found) for found in row.parameters),
        evidence=tuple(
            EvidenceView.model_validate(
                {
                    "kind": found.kind,
                    "at": found.at,
                    "note": Text(found.note_zh, found.note_en),
                    "event_id": found.event_id,
                    "record": found.ref,
                }
            )
            for found in reversed(list(evidence))
        ),
        actions=tuple(
            ActionView(at=done.at, actor=done.actor, action=done.action, reason=done.reason, detail=done.detail)
            for done in actions
        ),
        coverage=row.coverage,
        known_at=row.known_at,
        may_leave_house=may_leave_house(row),
    )


def count_alerts(session: Session, wanted: AlertFilter, now: datetime) -> AlertCounts:
    """Figures for badges, under the same filter as a list."""
    query = (
        select(AlertRow.alert_class, col(AlertRow.acknowledged_at).is_(None), func.count())
        .where(*_conditions(wanted, now))
        .group_by(AlertRow.alert_class, col(AlertRow.acknowledged_at).is_(None))
    )
    rows = list(session.exec(query))
    by_class = {kind: sum(n for name, _, n in rows if name == kind) for kind in AlertClass}
    return AlertCounts(
        open=sum(by_class.values()), unacknowledged=sum(n for _, waits, n in rows if waits), by_class=by_class
    )


def alerts_of_unit(session: Session, unit: str, *, limit: int = 50) -> list[AlertSummary]:
    """A unit's alerts, resolved ones too, newest first."""
    query = select(AlertRow).where(AlertRow.unit_code == unit).order_by(col(AlertRow.id).desc()).limit(limit)
    return [_summary(row) for row in session.exec(query)]


def _of_state(wanted: AlertFilter, now: datetime) -> list[ColumnElement[bool]]:
    is_open = col(AlertRow.resolved_at).is_(None)
    not_shelved = or_(col(AlertRow.shelved_until).is_(None), col(AlertRow.shelved_until) <= now)
    match wanted.state:
        case "open":
            return [is_open, not_shelved]
        case "active":
            return [is_open, not_shelved, col(AlertRow.is_active).is_(True)]
        case "unacknowledged":
            return [is_open, not_shelved, col(AlertRow.acknowledged_at).is_(None)]
        case "shelved":
            return [is_open, col(AlertRow.shelved_until) > now]
        case "resolved":
            return [~is_open]
        case "all":
            return []


def _conditions(wanted: AlertFilter, now: datetime) -> Sequence[ColumnElement[bool]]:
    found = _of_state(wanted, now)
    if wanted.classes:
        found.append(col(AlertRow.alert_class).in_([str(kind) for kind in wanted.classes]))
    if wanted.severities:
        found.append(col(AlertRow.severity).in_(wanted.severities))
    if wanted.rules:
        found.append(col(AlertRow.rule_id).in_(wanted.rules))
    for column, value in (
        (AlertRow.unit_code, wanted.unit),
        (AlertRow.building_code, wanted.building),
        (AlertRow.gateway_id, wanted.gateway),
        (AlertRow.assignee, wanted.assignee),
    ):
        if value is not None:
            found.append(col(column) == value)
    if wanted.opened_since is not None:
        found.append(col(AlertRow.opened_at) >= wanted.opened_since)
    if wanted.opened_until is not None:
        found.append(col(AlertRow.opened_at) < wanted.opened_until)
    if wanted.ids:
        found.append(col(AlertRow.id).in_(wanted.ids))
    if wanted.is_overdue:
        waits = and_(col(AlertRow.acknowledged_at).is_(None), col(AlertRow.due_ack_at) < now)
        found.append(or_(waits, col(AlertRow.due_act_at) < now))
    if wanted.scopes:
        found.append(within_any(wanted.scopes, AlertRow.unit_code, AlertRow.building_code))
    return found


def _summary(row: AlertRow) -> AlertSummary:
    return AlertSummary.model_validate(
        {
            "id": row.id,
            "rule": row.rule_id,
            "rule_version": row.rule_version,
            "alert_class": row.alert_class,
            "severity": row.severity,
            "title": rule(row.rule_id).title,
            "subject": row.subject,
            "unit": row.unit_code,
            "building": row.building_code,
            "gateway": row.gateway_id,
            "device": row.device,
            "is_active": row.is_active,
            "is_acknowledged": row.acknowledged_at is not None,
            "review": row.review,
            "outcome": row.outcome,
            "assignee": row.assignee,
            "opened_at": row.opened_at,
            "last_evidence_at": row.last_evidence_at,
            "evidence_count": row.evidence_count,
            "due_ack_at": row.due_ack_at,
            "due_act_at": row.due_act_at,
            "shelved_until": row.shelved_until,
            "escalation": row.escalation,
            "revision": row.revision,
        }
    )
