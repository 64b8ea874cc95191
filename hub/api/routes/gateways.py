"""Gateways, their streams, their events, and what they sent that could not be read."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.access.roles import Purpose, Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.paging import Cursor, Limit, Page, Search, from_cursor, holds, to_cursor
from hub.domain.scopes import within_any
from hub.domain.stored_event import Change
from hub.errors import NotFoundError
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.continuity import EpochContinuity, continuity
from hub.store.tables.ingest import EventRow, Gateway, RejectedBatch, Stream
from wire.ids import GATEWAY_ID_PATTERN

router = APIRouter(tags=["gateways"])
GatewayId = Annotated[str, Path(pattern=GATEWAY_ID_PATTERN)]
GatewayState = Literal["unadopted", "active", "suspended", "retired"]
GatewayLink = Literal["online", "offline", "unknown"]
Operator = Annotated[Caller, Depends(Allow(Right.SEE_GATEWAYS))]


class GatewayOut(BaseModel):
    """A gateway as the hub knows it. `missing`: how many of its events have not arrived, though later ones have."""

    id: str
    state: str
    building_code: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    link: str
    link_since: datetime | None
    agent_version: str | None
    missing: int = 0


class Adoption(BaseModel):
    """Where a gateway hangs, or that it no longer counts."""

    model_config = ConfigDict(extra="forbid")

    building_code: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\s\x00]+$")] | None = None
    state: Literal["active", "suspended", "retired"] = "active"


class ContinuityOut(BaseModel):
    """The figure of a gateway's streams."""

    epochs: list[EpochContinuity]


class EventOut(BaseModel):
    """One event as the gateway told it, with the three instants and its identity `(gateway, epoch, seq)`."""

    id: int
    gateway: str
    epoch: str
    seq: int
    observed_at: datetime
    sent_at: datetime
    received_at: datetime
    clock: str
    kind: str
    device: str
    unit: str | None
    data: JsonValue


class RejectedOut(BaseModel):
    """A message that broke the contract, without its content."""

    id: int
    received_at: datetime
    topic: str
    gateway: str
    epoch: str
    seq: int
    reason: str
    size_bytes: int
    times: int
    last_received_at: datetime


def _out(row: Gateway, session: Session) -> GatewayOut:
    epochs = continuity(session, row.id)
    missing = sum(epoch.forgotten + sum(last - first + 1 for first, last in epoch.holes) for epoch in epochs)
    return GatewayOut.model_validate({**row.model_dump(), "missing": missing})


def _seen_gateways(caller: Caller) -> SelectOfScalar[Gateway]:
    query = select(Gateway)
    if not caller.scopes:
        return query
    return query.where(within_any(caller.scopes, Gateway.building_code))


@router.get("/gateways")
def list_gateways(
    *,
    request: Request,
    caller: Operator,
    q: Search = None,
    state: GatewayState | None = None,
    link: GatewayLink | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[GatewayOut]:
    """Every gateway that the caller's scope holds, by identity. `q`: a part of its identity or its building's code."""
    after = from_cursor(cursor, str) or ""
    query = _seen_gateways(caller).where(col(Gateway.id) > after).order_by(col(Gateway.id)).limit(limit + 1)
    if q:
        query = query.where(holds(q, Gateway.id, Gateway.building_code))
    if state is not None:
        query = query.where(Gateway.state == state)
    if link is not None:
        query = query.where(Gateway.link == link)
    with services_of(request).database.read() as session:
        rows = session.exec(query).all()
        items = [_out(row, session) for row in rows[:limit]]
    return Page(items=items, next=to_cursor(items[-1].id) if rows[limit:] else None)


@router.get("/gateways/{gateway_id}")
def one_gateway(gateway_id: GatewayId, request: Request, caller: Operator) -> GatewayOut:
    """One gateway."""
    with services_of(request).database.read() as session:
        return _out(
            _find(session.exec(_seen_gateways(caller).where(Gateway.id == gateway_id)).first(), gateway_id), session
        )


def _find(row: Gateway | None, gateway_id: str) -> Gateway:
    if row is None:
        raise NotFoundError(f"没有网关 {gateway_id} / gateway {gateway_id}: there is none here")
    return row


@router.post("/gateways/{gateway_id}/adopt")
def adopt_gateway(
    gateway_id: GatewayId,
    body: Adoption,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.RUN_GATEWAYS))],
) -> GatewayOut:
    """Say whose a gateway is; from then on all of its events count. Suspending or retiring goes the same way."""
    services = services_of(request)
    now = services.clock.now()
    if caller.scopes and not caller.sees(body.building_code):
        raise NotFoundError(f"building_code: 没有此楼栋 / building {body.building_code}: there is none here")
    with services.database.write() as session:
        row = _find(session.get(Gateway, gateway_id), gateway_id)
        if caller.scopes and row.building_code is not None and not caller.sees(row.building_code):
            raise NotFoundError(f"没有网关 {gateway_id} / gateway {gateway_id}: there is none here")
        row.state = body.state
        row.building_code = body.building_code or row.building_code
        session.add(row)
        detail = f"{body.state} {row.building_code or ''}".strip()
        append_audit(session, Audited(caller.name, caller.role, "gateway.adopt", gateway_id, detail=detail), now)
        record_changes(session, [Change("gateway", gateway_id, body.state)], now)
        found = _out(row, session)
    services.feed.wake()
    return found


@router.get("/gateways/{gateway_id}/continuity")
def gateway_continuity(gateway_id: GatewayId, request: Request, caller: Operator) -> ContinuityOut:
    """What of this gateway's streams has arrived: a hole is a loss until it is filled."""
    with services_of(request).database.read() as session:
        _find(session.exec(_seen_gateways(caller).where(Gateway.id == gateway_id)).first(), gateway_id)
        return ContinuityOut(epochs=continuity(session, gateway_id))


@router.get("/events")
def list_events(
    *,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.SEE_EVENTS, Purpose.SECURITY, Purpose.MAINTENANCE))],
    gateway: Annotated[str | None, Query(pattern=GATEWAY_ID_PATTERN)] = None,
    unit: Annotated[str | None, Query(max_length=128)] = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="the `id` of the last event that is known")] = 0,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="with `order=newest`")] = None,
    order: Annotated[Literal["stored", "newest"], Query(description="newest: backwards")] = "stored",
    limit: Limit = 100,
) -> Page[EventOut]:
    """Stored events in the order of storing. `next` is the `after` (going back: the `before`) of the next page."""
    query = (
        select(EventRow, Stream)
        .join(Stream, col(Stream.id) == col(EventRow.stream_id))
        .where(col(EventRow.id) > after)
        .order_by(col(EventRow.id) if order == "stored" else col(EventRow.id).desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(col(EventRow.id) < before)
    if gateway is not None:
        query = query.where(Stream.gateway_id == gateway)
    if unit is not None:
        query = query.where(EventRow.unit == unit)
    if kind is not None:
        query = query.where(EventRow.kind == kind)
    if caller.scopes:
        query = query.where(within_any(caller.scopes, EventRow.unit))
    with services_of(request).database.read() as session:
        rows = session.exec(query).all()
    items = [_event(row, stream) for row, stream in rows[:limit]]
    return Page(items=items, next=str(items[-1].id) if rows[limit:] else None)


class _Body(msgspec.Struct):
    data: Any = None  # of a kind that this hub may not know


def _event(row: EventRow, stream: Stream) -> EventOut:
    return EventOut(
        id=row.id or 0,
        gateway=stream.gateway_id,
        epoch=stream.epoch,
        seq=row.seq,
        observed_at=row.observed_at,
        sent_at=row.sent_at,
        received_at=row.received_at,
        clock=row.clock,
        kind=row.kind,
        device=row.device,
        unit=row.unit,
        data=msgspec.json.decode(row.body, type=_Body).data,
    )


@router.get("/rejected")
def list_rejected(
    *,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.SEE_REJECTED))],
    gateway: Annotated[str | None, Query(pattern=GATEWAY_ID_PATTERN)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RejectedOut]:
    """Messages that broke the contract, newest first. Their content stays in the database, for operators there."""
    before = from_cursor(cursor, int)
    query = select(RejectedBatch).order_by(col(RejectedBatch.id).desc()).limit(limit + 1)
    if gateway is not None:
        query = query.where(RejectedBatch.gateway_id == gateway)
    if before is not None:
        query = query.where(col(RejectedBatch.id) < before)
    if caller.scopes:
        query = query.where(
            col(RejectedBatch.gateway_id).in_(_seen_gateways(caller).with_only_columns(col(Gateway.id)))
        )
    with services_of(request).database.read() as session:
        rows = session.exec(query).all()
    items = [
        RejectedOut(
            id=row.id or 0,
            received_at=row.received_at,
            topic=row.topic,
            gateway=row.gateway_id,
            epoch=row.epoch,
            seq=row.seq,
            reason=row.reason,
            size_bytes=row.size_bytes,
            times=row.times,
            last_received_at=row.last_received_at,
        )
        for row in rows[:limit]
    ]
    return Page(items=items, next=to_cursor(items[-1].id) if rows[limit:] else None)
