"""The household's own page, by a personal link: what is measured here, who looked, what was alerted, and objecting."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select

from hub.access.roles import Purpose, Right
from hub.alerts import actions
from hub.alerts import queries as alert_queries
from hub.alerts.views import AlertDetail, ReviewState
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.problems import FieldError, Problem
from hub.api.routes.units import limits_of
from hub.domain.local_time import local_day
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.errors import NotFoundError
from hub.read_models import units as registry_queries
from hub.read_models.unit_views import DeviceView, OccupantView, UnitView
from hub.registry import visits
from hub.registry.personal_data.vault import load_vault
from hub.requests import household
from hub.retention.schedule import BY_PERIOD, Period, Schedule
from hub.retention.settings import schedule_of
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import AlertRow
from hub.store.tables.household import HouseholdRequest

router = APIRouter(tags=["home"])
Household = Annotated[Caller, Depends(Allow(Right.OWN_UNIT, Purpose.SUBJECT_REQUEST))]
_LOOKS = ("unit.read", "unit.timeline", "alert.read", "pii.reveal", "request.read")
_MOST = 100
_MOST_GUESTS = 10
_LONGEST_STAY: Final = timedelta(days=90)
_DOORS: Final = (Period.DOORS_NAMED, Period.DOORS)
_COUNTS: Final = (Period.COUNTS_FINE, Period.COUNTS_QUARTER, Period.COUNTS_DAILY)
_KEPT: Final[Mapping[str, tuple[Period, ...]]] = {
    "lock": _DOORS,
    "reader": _DOORS,
    "contact": (Period.DOORS,),
    "smoke": (Period.LIFE_EVENTS,),
    "panel": (Period.LIFE_EVENTS,),
    "siren": (Period.LIFE_EVENTS,),
    "help": (Period.LIFE_EVENTS,),
    "camera": _COUNTS,
    "counter": _COUNTS,
}
"""Which periods hold for what a kind of device says; health is every device's."""
_KEPT_OF_ALL: Final = (Period.ALERTS_CLOSED, Period.ALERTS_LIFE, Period.MOVED_OUT, Period.LEASE_CORE, Period.AUDIT)
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


class Kept(BaseModel):
    """How long a kind of data is kept, and what happens then."""

    title: Text
    days: int
    after: Text


class HomeDevice(DeviceView):
    """A device of this home and how long what it says is kept."""

    kept: list[Kept]


class HomeRequest(BaseModel):
    """What the household asked for, and the answer."""

    id: int
    kind: household.Kind
    words: str
    made_at: datetime
    due_at: datetime
    state: Literal["open", "done", "refused"]
    answer: str
    answered_at: datetime | None


class HomeOut(BaseModel):
    """All that the household sees of its own home."""

    unit: str
    door: str
    building: str
    registered_count: int
    is_counted: bool
    people: list[OccupantView]
    devices: list[HomeDevice]
    kept: list[Kept]
    alerts: list[HomeAlert]
    requests: list[HomeRequest]
    looks: list[Look]


class ExportOut(BaseModel):
    """A copy of what is held of this home (PIPL 45), for the household to keep."""

    made_at: datetime
    unit: UnitView
    alerts: list[AlertDetail]
    requests: list[HomeRequest]
    looks: list[Look]


class Objection(BaseModel):
    """What is not so, in the household's own words."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=2, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")]


class GuestIn(BaseModel):
    """Somebody who stays here for a while."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*\S[^\x00]*$")]
    phone: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] = ""
    start: date
    until: date


class RequestIn(BaseModel):
    """What is to be corrected or erased, in the household's own words."""

    model_config = ConfigDict(extra="forbid")

    kind: household.Kind
    words: Annotated[str, Field(min_length=2, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")]


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
        schedule = schedule_of(session)
        return HomeOut(
            unit=unit,
            door=found.door,
            building=found.building_name,
            registered_count=found.registered_count,
            is_counted=not found.counting_opt_out,
            people=[person for person in found.occupants if person.is_current],
            devices=[_device(device, schedule) for device in found.devices],
            kept=_kept(_KEPT_OF_ALL, schedule),
            alerts=alerts,
            requests=[_request(row) for row in household.of_unit(session, unit)],
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
        asked = [_request(row) for row in household.of_unit(session, unit)]
    with services.database.write() as session:
        append_audit(session, Audited(caller.name, caller.role, "home.export", unit_code=unit), now)
    return ExportOut(made_at=now, unit=found, alerts=alerts, requests=asked, looks=_looks(request, unit))


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
            raise NotFoundError(f"没有与本户有关的预警 {alert_id} / alert {alert_id}: there is none about this home")
        record_changes(session, actions.contest(session, alert_id, caller.name, now, reason=body.reason.strip()), now)
        append_audit(session, Audited(caller.name, caller.role, "alert.contest", str(alert_id), row.unit_code), now)
        session.flush()
        alert = alert_queries.get_alert(session, alert_id, evidence_limit=1)
    services.feed.wake()
    return _alert(alert)


@router.post("/home/guests", status_code=201)
def add_guest(body: GuestIn, request: Request, caller: Household) -> OccupantView:
    """Somebody stays here until then. It stands in the registry at once, entered by the household."""
    services = services_of(request)
    now = services.clock.now()
    unit = _unit_of(caller)
    if not body.start <= body.until <= min(body.start, local_day(now)) + _LONGEST_STAY:
        words = f"最长 {_LONGEST_STAY.days} 天，不早于来访日期 / within {_LONGEST_STAY.days} days, not before the start"
        raise Problem("invalid", f"until: {words}", [FieldError(field="until", code="stay", message=words)])
    vault = load_vault(services.data_dir)
    with services.database.write() as session:
        before = registry_queries.unit_view(session, unit, now, limits_of).occupants
        if sum(person.role == "guest" and person.is_current for person in before) >= _MOST_GUESTS:
            words = (
                f"已有 {_MOST_GUESTS} 位访客，请联系物业 / there are {_MOST_GUESTS} guests already; ask the managers"
            )
            raise Problem("invalid", words)
        guest = visits.Guest(unit, body.name.strip(), body.start, body.until, body.phone.strip())
        record_changes(session, visits.add_guest(session, guest, vault=vault, now=now, by=caller.name), now)
        append_audit(session, Audited(caller.name, caller.role, "tenancy.guest", unit_code=unit), now)
        session.flush()
        known = {person.code for person in before}
        after = registry_queries.unit_view(session, unit, now, limits_of).occupants
    services.feed.wake()
    return next((person for person in after if person.code not in known), after[-1])


@router.post("/home/requests", status_code=201)
def ask(body: RequestIn, request: Request, caller: Household) -> HomeRequest:
    """Ask for a correction or an erasure; a person answers within thirty days."""
    services = services_of(request)
    now = services.clock.now()
    unit = _unit_of(caller)
    with services.database.write() as session:
        row, changes = household.make(session, unit, body.kind, body.words.strip(), now)
        record_changes(session, changes, now)
        append_audit(
            session, Audited(caller.name, caller.role, "request.made", str(row.id), unit, detail=body.kind), now
        )
        asked = _request(row)
    services.feed.wake()
    return asked


def _device(device: DeviceView, schedule: Schedule) -> HomeDevice:
    periods = (*_KEPT.get(device.kind, ()), Period.TELEMETRY)
    return HomeDevice(**device.model_dump(), kept=_kept(periods, schedule))


def _kept(periods: tuple[Period, ...], schedule: Schedule) -> list[Kept]:
    rules = (BY_PERIOD[period] for period in periods)
    return [Kept(title=rule.title, days=schedule.days[rule.period], after=rule.after) for rule in rules]


def _request(row: HouseholdRequest) -> HomeRequest:
    return HomeRequest.model_validate(row, from_attributes=True)


def _unit_of(caller: Caller) -> str:
    if len(caller.scopes) != 1:
        raise NotFoundError("请使用住户链接打开 / home: a household's link names one unit")
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
