"""The household's own page, by a personal link: what is measured here, who looked, what was alerted, and objecting."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select

from hub.alerts import queries as alert_queries
from hub.alerts import service
from hub.alerts.views import AlertDetail, ReviewState
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.access.roles import Purpose, Right
from hub.api.routes.units import limits_of
from hub.errors import NotFoundError
from hub.registry import queries as registry_queries
from hub.registry.views import DeviceView, UnitView
from hub.rules.model import AlertClass, Text
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import AlertRow

router = APIRouter(tags=["home"])
Household = Annotated[Caller, Depends(Allow(Right.OWN_UNIT, Purpose.SUBJECT_REQUEST))]
_LOOKS = ("unit.read", "unit.timeline", "alert.read", "pii.reveal")
_MOST = 100
_SILENT = "L3"
"""Duress stays unsaid in the home itself: whoever forces the door may be the one who reads this page."""


class Look(BaseModel):
    """Somebody looked at this home's data. The role and the reason are told; an employee's name is the manager's."""

    at: datetime
    role: str
    action: str
    purpose: str
    reason: str


class HomeAlert(BaseModel):
    """An alert about this home, in plain words. `can_contest` until it is settled."""

    id: int
    title: Text
    explanation: Text
    trigger: Text
    opened_at: datetime
    review: ReviewState
    outcome: str | None
    can_contest: bool
    is_clock_paused: bool


class HomeOut(BaseModel):
    """All that the household sees of its own home."""

    unit: str
    door: str
    building: str
    registered_count: int
    is_counted: bool
    devices: list[DeviceView]
    alerts: list[HomeAlert]
    looks: list[Look]


class ExportOut(BaseModel):
    """A copy of what is held of this home (PIPL 45), for the household to keep."""

    made_at: datetime
    unit: UnitView
    alerts: list[AlertDetail]
    looks: list[Look]


class Objection(BaseModel):
    """What is not so, in the household's own words."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=2, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")]


@router.get("/home")
def home(request: Request, caller: Household) -> HomeOut:
    """What is measured in this home, by which device, who looked, and which alerts there were."""
    services = services_of(request)
    unit = _unit_of(caller)
    with services.database.read() as session:
        found = registry_queries.unit_view(session, unit, services.clock.now(), limits_of)
        rows = session.exec(
            select(AlertRow)
            .where(AlertRow.unit_code == unit, AlertRow.rule_id != _SILENT)
            .order_by(col(AlertRow.id).desc())
            .limit(_MOST)
        ).all()
        alerts = [_alert(alert_queries.get_alert(session, row.id or 0, evidence_limit=1)) for row in rows]
        return HomeOut(
            unit=unit,
            door=found.door,
            building=found.building_name,
            registered_count=found.registered_count,
            is_counted=not found.counting_opt_out,
            devices=list(found.devices),
            alerts=alerts,
            looks=_looks(request, unit),
        )


@router.get("/home/export")
def export(request: Request, caller: Household) -> ExportOut:
    """A copy of what is held of this home."""
    services = services_of(request)
    now = services.clock.now()
    unit = _unit_of(caller)
    with services.database.read() as session:
        found = registry_queries.unit_view(session, unit, now, limits_of)
        query = select(AlertRow.id).where(AlertRow.unit_code == unit, AlertRow.rule_id != _SILENT)
        ids = session.exec(query.order_by(col(AlertRow.id))).all()
        alerts = [alert_queries.get_alert(session, alert_id) for alert_id in ids if alert_id is not None]
    with services.database.write() as session:
        append_audit(session, Audited(caller.name, caller.role, "home.export", unit_code=unit), now)
    return ExportOut(made_at=now, unit=found, alerts=alerts, looks=_looks(request, unit))


@router.post("/home/alerts/{alert_id}/contest")
def contest(
    alert_id: Annotated[int, Path(ge=1, le=2**63 - 1)], body: Objection, request: Request, caller: Household
) -> HomeAlert:
    """It is not so: the alert's clock stands still until a second person has looked."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        row = session.get(AlertRow, alert_id)
        if row is None or row.unit_code not in caller.scopes or row.rule_id == _SILENT:
            raise NotFoundError(f"alert {alert_id}: there is none about this home")
        record_changes(session, service.contest(session, alert_id, caller.name, now, reason=body.reason.strip()), now)
        append_audit(session, Audited(caller.name, caller.role, "alert.contest", str(alert_id), row.unit_code), now)
        session.flush()
        alert = alert_queries.get_alert(session, alert_id, evidence_limit=1)
    services.feed.wake()
    return _alert(alert)


def _unit_of(caller: Caller) -> str:
    if len(caller.scopes) != 1:
        raise NotFoundError("home: a household's link names one unit")
    return caller.scopes[0]


def _alert(alert: AlertDetail) -> HomeAlert:
    return HomeAlert(
        id=alert.id,
        title=alert.title,
        explanation=alert.explanation,
        trigger=alert.trigger,
        opened_at=alert.opened_at,
        review=alert.review,
        outcome=alert.outcome,
        can_contest=alert.review not in {"resolved", "contested"} and alert.alert_class is not AlertClass.LIFE,
        is_clock_paused=alert.review == "contested",
    )


def _looks(request: Request, unit: str) -> list[Look]:
    query = select(AuditEntry).where(AuditEntry.unit_code == unit, col(AuditEntry.action).in_(_LOOKS))
    with services_of(request).database.read() as session:
        rows = session.exec(query.order_by(col(AuditEntry.id).desc()).limit(_MOST)).all()
    return [Look.model_validate(row, from_attributes=True) for row in rows]
