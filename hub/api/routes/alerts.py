"""Alerts: lists, one with everything, and what people do with it."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import Session

from hub.access.roles import Purpose, Right, sees_nothing
from hub.alerts import actions, queries
from hub.alerts.views import AlertCounts, AlertDetail, AlertFilter, AlertOrder, AlertState, AlertSummary, Outcome
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.access.reads import remember_look
from hub.api.paging import Cursor, Limit, Page, from_cursor, not_ours, to_cursor
from hub.domain.stored_event import Change
from hub.domain.subject import AlertClass, Severity
from hub.errors import NotFoundError, StaleAlertError
from hub.store.changes import record_changes
from hub.store.tables.alerts import AlertRow

router = APIRouter(tags=["alerts"])

_PURPOSES = (Purpose.LIFE_SAFETY, Purpose.SECURITY, Purpose.COMPLIANCE, Purpose.WELFARE, Purpose.MAINTENANCE)
Seeing = Annotated[Caller, Depends(Allow(Right.SEE_ALERTS, *_PURPOSES))]
Acting = Annotated[Caller, Depends(Allow(Right.ACT_ON_ALERTS))]
AlertId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Code = Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$")]
Revision = Annotated[int | None, Field(ge=0, le=2**31 - 1, description="as it was read; absent: whatever it is now")]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Action: TypeAlias = Callable[[Session, str, datetime], list[Change]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    revision: Revision = None
    reason: Words = ""


class Acknowledgement(_Body):
    """I have seen it and take care."""


class Assignment(_Body):
    """Who takes care; null gives it back."""

    assignee: Annotated[str | None, Field(max_length=64, pattern=r"^[^\x00]*$")]


class Comment(_Body):
    """A note for colleagues, in `reason`."""

    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class Shelving(_Body):
    """Put aside until then, and why. Never life safety."""

    until: AwareDatetime


class Confirmation(Comment):
    """It was checked, and how."""


class Review(Comment):
    """The second person's answer to an objection. `upheld`: the household is right."""

    upheld: bool


class Resolution(_Body):
    """It is settled: true, false (say the cause) or benign."""

    outcome: Outcome = "true"
    cause: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] = ""


class Seen(BaseModel):
    """One of several alerts that are acknowledged at once."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    revision: Revision = None


class SeenMany(BaseModel):
    """Alerts to acknowledge at once."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[Seen], Field(min_length=1, max_length=500)]


class SeenManyDone(BaseModel):
    """Which were acknowledged, and which had moved on or are not there."""

    done: list[int]
    left: list[int]


def _wanted(
    caller: Seeing,
    *,
    state: AlertState = "open",
    alert_class: Annotated[list[AlertClass] | None, Query(alias="class")] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    rule: Annotated[list[str] | None, Query(max_length=50)] = None,
    within: Code = None,
    unit: Code = None,
    building: Code = None,
    gateway: Code = None,
    assignee: Code = None,
    only: Annotated[list[int] | None, Query(alias="id", max_length=500)] = None,
    overdue: bool = False,
    opened_since: AwareDatetime | None = None,
    opened_until: AwareDatetime | None = None,
) -> AlertFilter:
    if within and caller.scopes and not caller.sees(within):
        raise NotFoundError(f"没有范围 {within} / scope {within}: there is none here")
    return AlertFilter(
        state=state,
        classes=tuple(alert_class or ()),
        severities=tuple(severity or ()),
        rules=tuple(rule or ()),
        unit=unit,
        building=building,
        gateway=gateway,
        assignee=assignee,
        opened_since=opened_since,
        opened_until=opened_until,
        ids=tuple(only or ()),
        is_overdue=overdue,
        scopes=(within,) if within else caller.scopes,
    )


Wanted = Annotated[AlertFilter, Depends(_wanted)]


@router.get("/alerts")
def list_alerts(
    request: Request,
    caller: Seeing,
    wanted: Wanted,
    *,
    order: AlertOrder = "newest",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[AlertSummary]:
    """Alerts without names: newest first, gravest first (`urgent`), or by the limit that comes next (`due`)."""
    if sees_nothing(caller.role, caller.scopes):
        return Page(items=[])
    services = services_of(request)
    after = from_cursor(cursor, queries.Place)
    try:
        with services.database.read() as session:
            items, onward = queries.list_alerts(
                session, wanted, services.clock.now(), order=order, after=after, limit=limit
            )
    except ValueError as error:
        raise not_ours() from error
    return Page(items=items, next=None if onward is None else to_cursor(onward))


@router.get("/alerts/counts")
def count_alerts(request: Request, _caller: Seeing, wanted: Wanted) -> AlertCounts:
    """Figures under the same filter as the list."""
    services = services_of(request)
    with services.database.read() as session:
        return queries.count_alerts(session, wanted, services.clock.now())


@router.post("/alerts/ack")
def acknowledge_many(body: SeenMany, request: Request, caller: Acting) -> SeenManyDone:
    """Acknowledge several at once. Those that moved on in the meantime are left, and named."""
    services = services_of(request)
    now = services.clock.now()
    done: list[int] = []
    with services.database.write() as session:
        for seen in body.items:
            with contextlib.suppress(NotFoundError, StaleAlertError), session.begin_nested():
                _find(session, caller, seen.id)
                changes = actions.acknowledge(session, seen.id, caller.name, now, revision=seen.revision)
                record_changes(session, changes, now)
                done.append(seen.id)
    services.feed.wake()
    return SeenManyDone(done=done, left=[seen.id for seen in body.items if seen.id not in done])


@router.get("/alerts/{alert_id}")
def one_alert(alert_id: AlertId, request: Request, caller: Seeing) -> AlertDetail:
    """One alert with its evidence, the rule with its parameters, and who did what."""
    with services_of(request).database.read() as session:
        _find(session, caller, alert_id)
        alert = queries.get_alert(session, alert_id)
    remember_look(request, caller, "alert.read", alert.unit, str(alert_id))
    return alert


@router.post("/alerts/{alert_id}/ack")
def acknowledge(
    alert_id: AlertId, request: Request, caller: Acting, body: Acknowledgement | None = None
) -> AlertDetail:
    """I have seen it and take care."""
    body = body or Acknowledgement()
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.acknowledge(
            session, alert_id, by, now, reason=body.reason, revision=body.revision
        ),
    )


@router.post("/alerts/{alert_id}/resolve")
def resolve(alert_id: AlertId, request: Request, caller: Acting, body: Resolution | None = None) -> AlertDetail:
    """End it."""
    end = body or Resolution()
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.resolve(
            session, alert_id, by, now, outcome=end.outcome, cause=end.cause, reason=end.reason, revision=end.revision
        ),
    )


@router.post("/alerts/{alert_id}/assign")
def assign(alert_id: AlertId, body: Assignment, request: Request, caller: Acting) -> AlertDetail:
    """Give it to somebody, or back."""
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.assign(
            session, alert_id, by, now, assignee=body.assignee or None, reason=body.reason, revision=body.revision
        ),
    )


@router.post("/alerts/{alert_id}/comment")
def comment(alert_id: AlertId, body: Comment, request: Request, caller: Acting) -> AlertDetail:
    """Leave a note."""
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.comment(session, alert_id, by, now, text=body.reason, revision=body.revision),
    )


@router.post("/alerts/{alert_id}/shelve")
def shelve(alert_id: AlertId, body: Shelving, request: Request, caller: Acting) -> AlertDetail:
    """Put it aside until then."""
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.shelve(
            session, alert_id, by, now, until=body.until, reason=body.reason, revision=body.revision
        ),
    )


@router.post("/alerts/{alert_id}/unshelve")
def unshelve(alert_id: AlertId, request: Request, caller: Acting, body: Acknowledgement | None = None) -> AlertDetail:
    """Take it back before its time."""
    body = body or Acknowledgement()
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.unshelve(
            session, alert_id, by, now, reason=body.reason, revision=body.revision
        ),
    )


@router.post("/alerts/{alert_id}/confirm")
def confirm(alert_id: AlertId, body: Confirmation, request: Request, caller: Acting) -> AlertDetail:
    """A person has checked that it is so."""
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.confirm(
            session, alert_id, by, now, reason=body.reason, revision=body.revision
        ),
    )


@router.post("/alerts/{alert_id}/review")
def review(alert_id: AlertId, body: Review, request: Request, caller: Acting) -> AlertDetail:
    """Answer the household's objection, as the second person."""
    return _done(
        request,
        caller,
        alert_id,
        lambda session, by, now: actions.review_contest(
            session, alert_id, by, now, upheld=body.upheld, reason=body.reason, revision=body.revision
        ),
    )


def _done(request: Request, caller: Caller, alert_id: int, action: Action) -> AlertDetail:
    """Run `action` in a write transaction, record what it changed there, tell open pages after the commit."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        _find(session, caller, alert_id)
        record_changes(session, action(session, caller.name, now), now)
        session.flush()
        alert = queries.get_alert(session, alert_id)
    services.feed.wake()
    return alert


def _find(session: Session, caller: Caller, alert_id: int) -> AlertRow:
    row = session.get(AlertRow, alert_id)
    if row is None or not (caller.sees(row.unit_code) or caller.sees(row.building_code)):
        raise NotFoundError(f"没有预警 {alert_id} / alert {alert_id}: there is none here")
    return row
