"""Households' requests as the managers see and answer them. What was written is read one by one, and audited."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from hub.access.roles import Purpose, Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, purpose_of, services_of
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.domain.scopes import within_any
from hub.errors import NotFoundError
from hub.read_models import units
from hub.requests import household
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.tables.household import HouseholdRequest

router = APIRouter(tags=["requests"])
Keeping = Annotated[Caller, Depends(Allow(Right.KEEP_REGISTRY, Purpose.SUBJECT_REQUEST))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
State = Literal["open", "done", "refused"]


class RequestSummary(BaseModel):
    """One line of the list, without what was written."""

    id: int
    unit_code: str
    kind: household.Kind
    state: State
    made_at: datetime
    due_at: datetime
    answered_at: datetime | None


class RequestOut(RequestSummary):
    """A request with its words and its answer."""

    words: str
    answer: str
    answered_by: str


class AnswerIn(BaseModel):
    """The answer that the household reads. `is_done` false refuses it, and then says why."""

    model_config = ConfigDict(extra="forbid")

    is_done: bool
    answer: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""


@router.get("/requests")
def list_requests(
    *,
    request: Request,
    caller: Keeping,
    state: Annotated[State | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RequestSummary]:
    """Requests of the caller's scope, newest first."""
    before = from_cursor(cursor, int)
    query = select(HouseholdRequest).order_by(col(HouseholdRequest.id).desc()).limit(limit + 1)
    if before is not None:
        query = query.where(col(HouseholdRequest.id) < before)
    if state is not None:
        query = query.where(HouseholdRequest.state == state)
    if caller.scopes:
        query = query.where(within_any(caller.scopes, HouseholdRequest.unit_code))
    with services_of(request).database.read() as session:
        rows = session.exec(query).all()
    items = [RequestSummary.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return Page(items=items, next=to_cursor(items[-1].id) if rows[limit:] else None)


@router.get("/requests/{number}")
def one_request(number: Number, request: Request, caller: Keeping) -> RequestOut:
    """One request in the household's own words."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        row = _find(session, caller, number)
        entry = Audited(
            caller.name, caller.role, "request.read", str(number), row.unit_code, purpose=purpose_of(request)
        )
        append_audit(session, entry, now)
        return RequestOut.model_validate(row, from_attributes=True)


@router.post("/requests/{number}/answer")
def answer_request(number: Number, body: AnswerIn, request: Request, caller: Keeping) -> RequestOut:
    """Answer it, once."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        _find(session, caller, number)
        row, changes = household.answer(
            session, number, is_done=body.is_done, words=body.answer.strip(), by=caller.name, now=now
        )
        record_changes(session, changes, now)
        entry = Audited(
            caller.name,
            caller.role,
            "request.answer",
            str(number),
            row.unit_code,
            purpose_of(request),
            detail=row.state,
        )
        append_audit(session, entry, now)
        session.flush()
        found = RequestOut.model_validate(row, from_attributes=True)
    services.feed.wake()
    return found


def _find(session: Session, caller: Caller, number: int) -> HouseholdRequest:
    row = session.get(HouseholdRequest, number)
    if row is None or not (caller.sees(row.unit_code) or caller.sees(units.building_of(session, row.unit_code))):
        raise NotFoundError(f"没有请求 {number} / request {number}: there is none here")
    return row
