"""The audit trail, read by those whose task that is; reading it is itself a line in it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel
from sqlmodel import col, select

from hub.access.roles import Purpose, Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, purpose_of, services_of
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.store.audit import Audited, append_audit, broken_links
from hub.store.audit_tip import AuditTip
from hub.store.tables.access import AuditEntry

router = APIRouter(tags=["audit"])
Auditor = Annotated[Caller, Depends(Allow(Right.SEE_AUDIT, Purpose.AUDIT))]


class AuditOut(BaseModel):
    """One line of the trail."""

    id: int
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    unit_code: str | None
    purpose: str
    reason: str
    detail: str
    hash: str


class ChainOut(BaseModel):
    """Whether the trail is whole: the ids of lines that were changed, or whose predecessor was."""

    is_whole: bool
    broken: list[int]


@router.get("/audit")
def list_audit(
    *,
    request: Request,
    caller: Auditor,
    action: Annotated[str | None, Query(max_length=64)] = None,
    unit: Annotated[str | None, Query(max_length=128)] = None,
    actor: Annotated[
        str | None, Query(max_length=96, description="`user:NAME`, `token:ID`, …, or the name alone")
    ] = None,
    since: AwareDatetime | None = None,
    until: Annotated[AwareDatetime | None, Query(description="before that instant")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[AuditOut]:
    """The trail, newest first."""
    services = services_of(request)
    before = from_cursor(cursor, int)
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit + 1)
    if before is not None:
        query = query.where(col(AuditEntry.id) < before)
    if action is not None:
        query = query.where(AuditEntry.action == action)
    if unit is not None:
        query = query.where(AuditEntry.unit_code == unit)
    if actor is not None:
        query = query.where(col(AuditEntry.actor).in_([actor, f"user:{actor}"]))
    if since is not None:
        query = query.where(col(AuditEntry.at) >= since)
    if until is not None:
        query = query.where(col(AuditEntry.at) < until)
    if caller.scopes:
        query = query.where(col(AuditEntry.unit_code).in_(caller.scopes))
    with services.database.read() as session:
        rows = session.exec(query).all()
    if before is None:
        with services.database.write() as session:
            entry = Audited(caller.name, caller.role, "audit.read", unit_code=unit, purpose=purpose_of(request))
            append_audit(session, entry, services.clock.now())
    items = [AuditOut.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return Page(items=items, next=to_cursor(items[-1].id) if rows[limit:] else None)


@router.get("/audit/chain")
def check_chain(request: Request, caller: Auditor) -> ChainOut:
    """Check every seal of the trail, and that its end is still there."""
    services = services_of(request)
    with services.database.read() as session:
        broken = list(broken_links(session))[:100]
        lost = AuditTip(services.data_dir).lost(session)
    broken += [] if lost is None else [lost]
    return ChainOut(is_whole=not broken, broken=broken)
