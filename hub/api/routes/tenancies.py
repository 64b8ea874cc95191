"""Tenancies kept by hand: check-in, check-out, guests, bookings, filings, and whether heads are counted."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import Session

from hub.access.roles import Right
from hub.alerts.queries import alerts_of_unit
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.routes.units import Code, UnitOut, check_scope, limits_of
from hub.domain.stored_event import Change
from hub.read_models import units
from hub.registry import tenancy, visits
from hub.registry.personal_data.vault import load_vault
from hub.runtime.organisation_key import organisation_key
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.turns import acquire_write_lock

router = APIRouter(tags=["tenancies"])

Keeping = Annotated[Caller, Depends(Allow(Right.KEEP_REGISTRY))]
Words = Annotated[str, Field(max_length=256, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*\S[^\x00]*$")]
Short = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]
RecordCode = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]+$")]
Day = Annotated[date, Field(ge=date(1980, 1, 1), le=date(2100, 12, 31))]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResidentIn(_Form):
    """Somebody who moves in."""

    name: Name
    phone: Short = ""
    document_type: Short = "id_card"
    document: Short = ""
    hukou: Annotated[str, Field(pattern=r"^([0-9]{6})?$", description="region code of where they are registered")] = ""
    role: Literal["tenant", "co_occupant", "guest"] = "tenant"
    family: bool = False
    registered_on: Day | None = None
    card: Short = ""


class CheckInForm(_Form):
    """Who moves in, from when until when (absent: indefinite). `room`: its code, where rooms are let singly."""

    start: Day
    end: Day | None = None
    room: RecordCode | None = None
    residents: Annotated[list[ResidentIn], Field(min_length=1, max_length=40)]


class CheckOutForm(_Form):
    """Which tenancy ended when; `reported_on`: when that was reported to the police, if it was."""

    lease: RecordCode
    ended_on: Day
    reported_on: Day | None = None


class GuestForm(_Form):
    """Somebody who stays for a while."""

    name: Name
    phone: Short = ""
    start: Day
    until: Day


class LeftForm(_Form):
    """One of several has left, or a guest has; the lease goes on."""

    occupant: RecordCode
    on: Day


class BookingForm(_Form):
    """A time for which opening the unit was agreed."""

    purpose: Literal["viewing", "repair", "cleaning", "inspection", "other"]
    begin: AwareDatetime
    end: AwareDatetime
    reason: Words = ""


class FilingForm(_Form):
    """Something filed with an authority: `residence` (居住登记) of a person, `house` (出租登记), `contract` (租赁备案)
    or `termination` (退租报告) of a lease. `is_exempt`: it need not be.
    """

    kind: visits.FilingKind
    filed_on: Day
    number: Short = ""
    person: RecordCode | None = None
    lease: RecordCode | None = None
    is_exempt: bool = False


class CountingForm(_Form):
    """Whether the household's heads are counted; opting out must not show as suspicious anywhere."""

    opted_out: bool
    reason: Words = ""


@router.post("/units/{code}/check-in", status_code=201)
def check_in(code: Code, body: CheckInForm, request: Request, caller: Keeping) -> UnitOut:
    """Enter a tenancy."""
    services = services_of(request)
    vault, key = load_vault(services.data_dir), organisation_key(services.data_dir)
    residents = tuple(tenancy.NewResident(**resident.model_dump()) for resident in body.residents)
    form = tenancy.CheckIn(code, body.start, body.end, residents, body.room)
    return _write(
        request,
        caller,
        code,
        "tenancy.check_in",
        lambda session, now: tenancy.check_in(
            session, form, vault=vault, organisation_key=key, now=now, by=caller.name
        ),
    )


@router.post("/units/{code}/check-out", status_code=201)
def check_out(code: Code, body: CheckOutForm, request: Request, caller: Keeping) -> UnitOut:
    """End a tenancy. Credentials end in the registry with that day; nothing is done at any lock."""
    form = tenancy.CheckOut(code, body.lease, body.ended_on, body.reported_on)
    return _write(
        request,
        caller,
        code,
        "tenancy.check_out",
        lambda session, now: tenancy.check_out(session, form, now=now, by=caller.name),
    )


@router.post("/units/{code}/guests", status_code=201)
def add_guest(code: Code, body: GuestForm, request: Request, caller: Keeping) -> UnitOut:
    """Enter a guest: no registration is asked for before `until`."""
    vault = load_vault(services_of(request).data_dir)
    guest = visits.Guest(code, body.name, body.start, body.until, body.phone)
    return _write(
        request,
        caller,
        code,
        "tenancy.guest",
        lambda session, now: visits.add_guest(session, guest, vault=vault, now=now, by=caller.name),
    )


@router.post("/units/{code}/left", status_code=201)
def left(code: Code, body: LeftForm, request: Request, caller: Keeping) -> UnitOut:
    """Somebody has left while the tenancy goes on."""
    return _write(
        request,
        caller,
        code,
        "tenancy.left",
        lambda session, now: visits.leave_early(session, code, body.occupant, on=body.on, now=now, by=caller.name),
    )


@router.post("/units/{code}/bookings", status_code=201)
def add_booking(code: Code, body: BookingForm, request: Request, caller: Keeping) -> UnitOut:
    """Enter a viewing, a repair, a cleaning: opening the unit in that time is expected."""
    visit = visits.Visit(code, body.purpose, body.begin, body.end, body.reason)
    return _write(
        request,
        caller,
        code,
        "tenancy.booking",
        lambda session, now: visits.add_booking(session, visit, now=now, by=caller.name),
    )


@router.post("/units/{code}/filings", status_code=201)
def add_filing(code: Code, body: FilingForm, request: Request, caller: Keeping) -> UnitOut:
    """Note a filing with an authority."""
    filing = visits.Filing(code, **body.model_dump())
    return _write(
        request,
        caller,
        code,
        "tenancy.filing",
        lambda session, now: visits.add_filing(session, filing, now=now, by=caller.name),
    )


@router.put("/units/{code}/counting")
def set_counting(code: Code, body: CountingForm, request: Request, caller: Keeping) -> UnitOut:
    """Stop or resume counting this household's heads (P15)."""
    return _write(
        request,
        caller,
        code,
        "unit.counting",
        lambda session, now: visits.set_counting(session, code, opted_out=body.opted_out, now=now, by=caller.name),
        reason=body.reason,
        detail="off" if body.opted_out else "on",
    )


def _write(
    request: Request,
    caller: Caller,
    code: str,
    action: str,
    do: Callable[[Session, datetime], list[Change]],
    *,
    reason: str = "",
    detail: str = "",
) -> UnitOut:
    """Run `do` in a write transaction with its audit line; answer with the unit as it is then."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        acquire_write_lock(session)
        check_scope(caller, code, units.building_of(session, code))
        record_changes(session, do(session, now), now)
        entry = Audited(caller.name, caller.role, action, unit_code=code, reason=reason, detail=detail)
        append_audit(session, entry, now)
    services.feed.wake()
    with services.database.read() as session:
        found = units.unit_view(session, code, services.clock.now(), limits_of)
        return UnitOut.model_validate({**found.model_dump(), "alerts": alerts_of_unit(session, code)})
