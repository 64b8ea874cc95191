"""How long things are kept: the periods, legal holds, what sweeps took away, and erasing one person."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.access.roles import Purpose, Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, purpose_of, services_of
from hub.api.access.reveals import check_reveal_rate
from hub.api.problems import FieldError, Problem
from hub.domain.text import Text
from hub.errors import ConfigError, RegistryError
from hub.registry.personal_data.data_export import copy_of
from hub.registry.personal_data.erasure import erase
from hub.registry.personal_data.vault import load_vault
from hub.retention import settings
from hub.retention.schedule import BY_PERIOD, RULES, Period, Rule
from hub.store.audit import Audited, append_audit
from hub.store.tables.retention import RetentionSetting

router = APIRouter(tags=["retention"])
Admin = Annotated[Caller, Depends(Allow(Right.RUN_USERS))]
Reason = Annotated[str, Field(min_length=2, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]
Code = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[^\s%\x00]+$")]


class PeriodOut(BaseModel):
    """One kind of data. `is_weaker`: kept longer than the default, which is less private."""

    period: Period
    title: Text
    after: Text
    days: int
    default_days: int
    least_days: int
    most_days: int
    is_weaker: bool
    reason: str
    set_by: str | None
    set_at: datetime | None


class HoldOut(BaseModel):
    """Everything of a unit is kept until then."""

    id: int
    unit_code: str
    reason: str
    set_by: str
    set_at: datetime
    expires_at: datetime


class RunOut(BaseModel):
    """One sweep and what it took away, by step."""

    id: int
    began_at: datetime
    ended_at: datetime
    taken: dict[str, int]


class RetentionOut(BaseModel):
    """All of it."""

    periods: list[PeriodOut]
    holds: list[HoldOut]
    runs: list[RunOut]


class PeriodIn(BaseModel):
    """How long from now on, and why."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=0, le=36_500)]
    reason: Reason


class HoldIn(BaseModel):
    """Keep everything of a unit until then, and why."""

    model_config = ConfigDict(extra="forbid")

    unit_code: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\s%\x00]+$")]
    reason: Reason
    expires_at: AwareDatetime


class ErasureIn(BaseModel):
    """Why: the person's own request, and where it is filed."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class CopyOut(BaseModel):
    """What is held of one person, version by version."""

    made_at: datetime
    person: list[dict[str, Any]]
    stays: list[dict[str, Any]]
    leases: list[dict[str, Any]]
    filings: list[dict[str, Any]]
    credentials: list[dict[str, Any]]
    uses: list[dict[str, Any]]


class ErasureOut(BaseModel):
    """What was done: free texts in which the person's name, phone or number stood and was replaced."""

    texts_mended: int


@router.get("/retention")
def retention(request: Request, caller: Annotated[Caller, Depends(Allow(Right.SEE_POLICIES))]) -> RetentionOut:
    """Periods, holds in force and the latest sweeps."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.read() as session:
        rows = settings.settings_of(session)
        return RetentionOut(
            periods=[_period(rule, rows.get(rule.period)) for rule in RULES],
            holds=[HoldOut.model_validate(row, from_attributes=True) for row in settings.holds(session, now)],
            runs=[RunOut.model_validate(row, from_attributes=True) for row in settings.runs(session)],
        )


@router.put("/retention/periods/{period}")
def set_period(period: Period, body: PeriodIn, request: Request, caller: Admin) -> PeriodOut:
    """Keep a kind of data for so many days from now on. A time above the default is audited as a weakening."""
    services = services_of(request)
    now = services.clock.now()
    rule = BY_PERIOD[period]
    with services.database.write() as session:
        before = settings.schedule_of(session).days[period]
        try:
            row = settings.set_period(session, period, body.days, reason=body.reason.strip(), by=caller.name, now=now)
        except ConfigError as error:
            wrong = FieldError(field="days", code="range", message=f"between {rule.least} and {rule.most} days")
            raise Problem("invalid", str(error), [wrong]) from error
        action = "retention.weakened" if body.days > rule.days else "retention.set"
        words = f"{before} -> {body.days} days"
        append_audit(
            session,
            Audited(caller.name, caller.role, action, period.value, reason=body.reason.strip(), detail=words),
            now,
        )
        return _period(rule, row)


@router.post("/retention/holds", status_code=201)
def add_hold(body: HoldIn, request: Request, caller: Admin) -> HoldOut:
    """Put a legal hold on a unit."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        try:
            row = settings.hold(
                session, body.unit_code, reason=body.reason.strip(), until=body.expires_at, by=caller.name, now=now
            )
        except ConfigError as error:
            wrong = FieldError(field="expires_at", code="range", message="in the future")
            raise Problem("invalid", str(error), [wrong]) from error
        append_audit(session, _held(caller, "retention.hold", body.unit_code, body.reason.strip()), now)
        return HoldOut.model_validate(row, from_attributes=True)


@router.delete("/retention/holds/{hold_id}", status_code=204)
def end_hold(hold_id: Annotated[int, Path(ge=1, le=2**63 - 1)], request: Request, caller: Admin) -> None:
    """End a legal hold before its time."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        row = settings.end_hold(session, hold_id, by=caller.name, now=now)
        append_audit(session, _held(caller, "retention.hold_ended", row.unit_code, ""), now)


@router.post("/people/{person}/copy")
def copy_person(
    *,
    person: Code,
    body: ErasureIn,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.RUN_USERS, Purpose.SUBJECT_REQUEST, must_say=True))],
) -> CopyOut:
    """Everything that the registry holds of somebody, in full, at their own request."""
    services = services_of(request)
    now = services.clock.now()
    vault = load_vault(services.data_dir)
    with services.database.write() as session:
        check_reveal_rate(session, caller.name, now)
        found = copy_of(session, vault, person)
        entry = Audited(
            caller.name, caller.role, "pii.copy", person, purpose=purpose_of(request), reason=body.reason.strip()
        )
        append_audit(session, entry, now)
    return CopyOut(made_at=now, **found)


@router.post("/people/{person}/erase")
def erase_person(
    *,
    person: Code,
    body: ErasureIn,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.RUN_USERS, Purpose.SUBJECT_REQUEST, must_say=True))],
) -> ErasureOut:
    """Erase somebody's name, phone and document for good, at their own request; refused while they live there."""
    services = services_of(request)
    now = services.clock.now()
    vault = load_vault(services.data_dir)
    with services.database.write() as session:
        try:
            held = {row.unit_code for row in settings.holds(session, now)}
            mended = erase(session, vault, person, now, caller.name, held=held)
        except RegistryError as error:
            raise Problem("still-bound", str(error)) from error
        append_audit(
            session,
            Audited(
                caller.name, caller.role, "pii.erase", person, purpose=purpose_of(request), reason=body.reason.strip()
            ),
            now,
        )
    return ErasureOut(texts_mended=mended)


def _held(caller: Caller, action: str, unit: str, reason: str) -> Audited:
    return Audited(caller.name, caller.role, action, unit, unit, reason=reason)


def _period(rule: Rule, row: RetentionSetting | None) -> PeriodOut:
    days = rule.days if row is None else row.days
    return PeriodOut(
        period=rule.period,
        title=rule.title,
        after=rule.after,
        days=days,
        default_days=rule.days,
        least_days=rule.least,
        most_days=rule.most,
        is_weaker=days > rule.days,
        reason="" if row is None else row.reason,
        set_by=None if row is None else row.set_by,
        set_at=None if row is None else row.set_at,
    )
