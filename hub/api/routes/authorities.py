"""Requests of authorities, kept as a record: who asked by which paper, who decided, what was given (P12)."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.access.roles import Purpose, Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, purpose_of, services_of
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.domain.local_time import local_day
from hub.domain.scopes import within_any
from hub.errors import NotFoundError, RegistryError
from hub.read_models import units
from hub.requests import authority
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.tables.authority import AuthorityRequest

router = APIRouter(tags=["authorities"])
Keeping = Annotated[Caller, Depends(Allow(Right.KEEP_REGISTRY, Purpose.AUTHORITY_REQUEST))]
Deciding = Annotated[Caller, Depends(Allow(Right.RUN_USERS, Purpose.AUTHORITY_REQUEST))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
State = Literal["open", "given", "refused"]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*\S[^\x00]*$")]
Words = Annotated[str, Field(min_length=4, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")]


class AskedIn(BaseModel):
    """What the authority's paper says."""

    model_config = ConfigDict(extra="forbid")

    authority: Name
    document_no: Name
    officer: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] = ""
    asked_on: date
    legal_basis: Words
    scope: Annotated[Words, Field(description="whose data of which time")]
    unit: Annotated[str | None, Field(max_length=128, pattern=r"^[^\x00]+$")] = None


class DecisionIn(BaseModel):
    """The answer. `given`: what exactly was handed over; nothing is handed over by the hub itself."""

    model_config = ConfigDict(extra="forbid")

    is_given: bool
    decision: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    given: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""


class AuthorityOut(BaseModel):
    """One request with its decision."""

    id: int
    authority: str
    document_no: str
    officer: str
    asked_on: date
    legal_basis: str
    scope: str
    unit_code: str | None
    recorded_by: str
    recorded_at: datetime
    state: State
    decision: str
    given: str
    decided_by: str
    decided_at: datetime | None


@router.get("/authority-requests")
def list_authority_requests(
    *,
    request: Request,
    caller: Keeping,
    state: Annotated[State | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[AuthorityOut]:
    """Requests of the caller's scope, newest first; those about no one unit are for callers without a scope."""
    before = from_cursor(cursor, int)
    query = _seen(caller).order_by(col(AuthorityRequest.id).desc()).limit(limit + 1)
    if before is not None:
        query = query.where(col(AuthorityRequest.id) < before)
    if state is not None:
        query = query.where(AuthorityRequest.state == state)
    services = services_of(request)
    with services.database.read() as session:
        rows = session.exec(query).all()
    if before is None:
        # It tells who was asked about; the household of a unit reads here who looked.
        with services.database.write() as session:
            entry = Audited(caller.name, caller.role, "authority.read", purpose=purpose_of(request))
            append_audit(session, entry, services.clock.now())
    items = [AuthorityOut.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return Page(items=items, next=to_cursor(items[-1].id) if rows[limit:] else None)


@router.post("/authority-requests", status_code=201)
def record_authority_request(body: AskedIn, request: Request, caller: Keeping) -> AuthorityOut:
    """Enter what an authority asked for. It waits until somebody else decides."""
    services = services_of(request)
    now = services.clock.now()
    asked = authority.Asked(
        body.authority.strip(), body.document_no.strip(), body.asked_on, body.legal_basis.strip(), body.scope.strip(),
        body.officer.strip(), body.unit,
    )  # fmt: skip
    with services.database.write() as session:
        building = units.building_of(session, body.unit) if body.unit else None
        if body.unit and (building is None or not (caller.sees(body.unit) or caller.sees(building))):
            raise RegistryError(f"unit: 台账中没有此房屋 / the registry has no {body.unit} here")
        row = authority.record(session, asked, caller.name, now, local_day(now))
        append_audit(session, _entry(request, caller, "authority.record", row), now)
        return AuthorityOut.model_validate(row, from_attributes=True)


@router.post("/authority-requests/{number}/decide")
def decide_authority_request(number: Number, body: DecisionIn, request: Request, caller: Deciding) -> AuthorityOut:
    """Give or refuse. By another person than who entered it, once."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        if session.exec(_seen(caller).where(AuthorityRequest.id == number)).first() is None:
            raise NotFoundError(f"没有调取请求 {number} / authority request {number}: there is none here")
        row, changes = authority.decide(
            session, number, is_given=body.is_given, why=body.decision.strip(), given=body.given.strip(),
            by=caller.name, now=now,
        )  # fmt: skip
        record_changes(session, changes, now)
        append_audit(session, _entry(request, caller, "authority.decide", row), now)
        session.flush()
        found = AuthorityOut.model_validate(row, from_attributes=True)
    services.feed.wake()
    return found


def _seen(caller: Caller) -> SelectOfScalar[AuthorityRequest]:
    query = select(AuthorityRequest)
    if not caller.scopes:
        return query
    return query.where(within_any(caller.scopes, AuthorityRequest.unit_code))


def _entry(request: Request, caller: Caller, action: str, row: AuthorityRequest) -> Audited:
    detail = f"{row.authority} {row.document_no} {row.state}"
    return Audited(caller.name, caller.role, action, str(row.id), row.unit_code, purpose_of(request), detail=detail)
