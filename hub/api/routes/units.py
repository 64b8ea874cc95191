"""Units: what the registry and the devices say, and their evidence on a time axis. Names as masks, until revealed."""

from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.access.credentials import new_tenant_link
from hub.access.roles import Purpose, Right, sees_nothing
from hub.alerts.queries import alerts_of_unit
from hub.alerts.views import AlertSummary
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, purpose_of, services_of
from hub.api.access.reads import remember_look
from hub.api.access.reveals import check_reveal_rate
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.api.problems import FieldError, Problem
from hub.domain.entities import Occupant, Unit
from hub.errors import NotFoundError
from hub.policies.packs import standard_packs
from hub.read_models import units
from hub.read_models.timeline import Timeline, unit_timeline
from hub.read_models.unit_views import BuildingView, UnitSummary, UnitView
from hub.registry.personal_data.vault import load_vault
from hub.rules import c2_over_capacity, c5_not_registered
from hub.rules.capacity import Limits
from hub.store.audit import Audited, append_audit

router = APIRouter(tags=["units"])

_PURPOSES = (
    Purpose.COMPLIANCE,
    Purpose.LIFE_SAFETY,
    Purpose.SECURITY,
    Purpose.WELFARE,
    Purpose.MAINTENANCE,
    Purpose.LEASE,
)
Seeing = Annotated[Caller, Depends(Allow(Right.SEE_UNITS, *_PURPOSES))]
Code = Annotated[str, Path(max_length=128, pattern=r"^[^\x00/]+$")]
MOST_DAYS: Final = 92
TENANT_LINK_LIFE: Final = timedelta(days=365)


class UnitOut(UnitView):
    """A unit with its alerts."""

    alerts: list[AlertSummary]


class RevealIn(BaseModel):
    """Why somebody's name has to be seen. It is kept, and the person can read it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=4, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]


class RevealOut(BaseModel):
    """What was asked for; null where the registry holds nothing."""

    name: str | None
    phone: str | None
    document: str | None


class TenantLinkOut(BaseModel):
    """A personal link to the unit's own page; those given before stop working. The secret is shown once."""

    path: str
    expires_at: AwareDatetime


def limits_of(unit: Unit) -> Limits:
    """The limits that hold for a unit by the packs that come with Anfang."""
    policy = standard_packs().policy(unit.building.jurisdiction, unit.building.land_type)
    return policy.of("C2", c2_over_capacity.Parameters)


def due_of(unit: Unit, occupant: Occupant) -> date | None:
    """By when an occupant has to be registered by the packs that come with Anfang."""
    policy = standard_packs().policy(unit.building.jurisdiction, unit.building.land_type)
    return c5_not_registered.due_on(unit, occupant, policy.of("C5", c5_not_registered.Parameters))


def _is_blind(caller: Caller) -> bool:
    return sees_nothing(caller.role, caller.scopes)


@router.get("/buildings")
def list_buildings(request: Request, caller: Seeing, cursor: Cursor = None, limit: Limit = 100) -> Page[BuildingView]:
    """Buildings of the caller's scope, by code."""
    if _is_blind(caller):
        return Page(items=[])
    after = from_cursor(cursor, str) or ""
    with services_of(request).database.read() as session:
        items, onward = units.list_buildings(session, caller.scopes, after=after, limit=limit)
    return Page(items=items, next=None if onward is None else to_cursor(onward))


@router.get("/units")
def list_units(
    *,
    request: Request,
    caller: Seeing,
    building: Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$")] = None,
    text: Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$", description="an address, as written")] = "",
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Page[UnitSummary]:
    """Units of the caller's scope, by code, without names."""
    if _is_blind(caller):
        return Page(items=[])
    services = services_of(request)
    after = from_cursor(cursor, str) or ""
    with services.database.read() as session:
        items, onward = units.list_units(
            session, services.clock.now(), caller.scopes, building=building, text=text, after=after, limit=limit
        )
    return Page(items=items, next=None if onward is None else to_cursor(onward))


@router.get("/units/{code}")
def one_unit(code: Code, request: Request, caller: Seeing) -> UnitOut:
    """One unit: its state, leases, occupants as masks, credentials, devices, nights and alerts."""
    services = services_of(request)
    with services.database.read() as session:
        found = units.unit_view(session, code, services.clock.now(), limits_of, due_of)
        check_scope(caller, code, found.building)
        alerts = alerts_of_unit(session, code)
    remember_look(request, caller, "unit.read", code)
    return UnitOut.model_validate({**found.model_dump(), "alerts": alerts})


@router.get("/units/{code}/timeline")
def timeline(
    *,
    code: Code,
    request: Request,
    caller: Seeing,
    start: Annotated[AwareDatetime | None, Query(description="without it, a day before the end")] = None,
    end: Annotated[AwareDatetime | None, Query(description="without it, now")] = None,
) -> Timeline:
    """The unit's evidence between two instants, at most a quarter apart."""
    services = services_of(request)
    end = end or services.clock.now()
    try:
        start = start or end - timedelta(days=1)
        is_short = timedelta(0) < end - start <= timedelta(days=MOST_DAYS)
    except OverflowError:
        is_short = False
    if start is None or not is_short:
        wrong = FieldError(field="start", code="range", message=f"before the end, and at most {MOST_DAYS} days")
        raise Problem("invalid", f"start: {wrong.message}", [wrong])
    with services.database.read() as session:
        check_scope(caller, code, units.building_of(session, code))
        found = unit_timeline(session, code, start, end)
    remember_look(request, caller, "unit.timeline", code)
    return found


@router.post("/units/{code}/people/{person}/reveal")
def reveal(
    *,
    code: Code,
    person: Code,
    body: RevealIn,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.REVEAL_PERSONAL_DATA, *_PURPOSES, must_say=True))],
) -> RevealOut:
    """Somebody's full name, phone and document number, for a reason that is kept. `X-Purpose` must be said."""
    services = services_of(request)
    now = services.clock.now()
    vault = load_vault(services.data_dir)
    with services.database.write() as session:
        check_reveal_rate(session, caller.name, now)
        check_scope(caller, code, units.building_of(session, code))
        found = units.reveal_person(session, vault, code, person)
        append_audit(
            session,
            Audited(caller.name, caller.role, "pii.reveal", person, code, purpose_of(request), body.reason.strip()),
            now,
        )
    return RevealOut(name=found.name, phone=found.phone, document=found.document)


@router.post("/units/{code}/tenant-link", status_code=201)
def make_tenant_link(
    code: Code, request: Request, caller: Annotated[Caller, Depends(Allow(Right.KEEP_REGISTRY))]
) -> TenantLinkOut:
    """A personal link for the household, to hand over or to print as a QR code."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        building = units.building_of(session, code)
        if building is None:
            raise NotFoundError(f"台账中没有房屋 {code} / unit {code}: the registry has none of that code")
        check_scope(caller, code, building)
        secret = new_tenant_link(session, code, TENANT_LINK_LIFE, now)
        append_audit(session, Audited(caller.name, caller.role, "tenant.link", unit_code=code), now)
    return TenantLinkOut(path=f"/home#{secret}", expires_at=now + TENANT_LINK_LIFE)


def check_scope(caller: Caller, code: str, building: str | None) -> None:
    """Raises NotFoundError for a unit out of the caller's scope."""
    if not (caller.sees(code) or (building is not None and caller.sees(building))):
        raise NotFoundError(f"没有房屋 {code} / unit {code}: there is none here")
