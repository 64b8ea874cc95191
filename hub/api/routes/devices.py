"""Devices: what each last said of itself, and where it stands by the registry."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from sqlmodel import and_, col, select

from hub.access.roles import Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.paging import Cursor, Limit, Page, Search, from_cursor, holds, to_cursor
from hub.domain.observations import DeviceState
from hub.domain.scopes import within_any
from hub.policies.changes import policy_for
from hub.policies.packs import standard_packs
from hub.read_models.detector_coverage import buildings_covered
from hub.read_models.scopes import as_seen, find_houses, units_of
from hub.rules import battery, t3_battery
from hub.store.tables.alerts import DeviceWatch
from hub.store.tables.registry import DevicePlacementRow
from wire.ids import GATEWAY_ID_PATTERN

router = APIRouter(tags=["devices"])
_seen = msgspec.json.Decoder(DeviceState)


class DeviceOut(BaseModel):
    """One device. What no event ever said is null."""

    key: str
    gateway: str
    device: str
    kind: str
    name: str
    unit: str | None
    building: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    is_in_alarm: bool
    is_online: bool | None
    battery_pct: float | None
    is_battery_low: bool | None
    is_tampered: bool | None
    has_fault: bool
    fault: str
    rssi_dbm: float | None
    battery_low_at: datetime | None
    smoke: bool
    is_silenced: bool
    tested_at: datetime | None
    lock: str | None
    door_open_since: datetime | None
    camera: str | None
    profile: str | None
    firmware: str | None


class GapOut(BaseModel):
    """A unit (null: the common parts) in which so many places need a detector, and so many are there."""

    unit: str | None
    rooms: int
    detectors: int


class CoverageOut(BaseModel):
    """Smoke detectors of a building. `is_required` by rule L6; null when its threshold is not known there."""

    code: str
    name: str
    rooms: int
    people: int
    is_required: bool | None
    threshold_rooms: int | None
    threshold_people: int | None
    places: int
    gaps: list[GapOut]


@router.get("/coverage")
def list_coverage(
    *,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.SEE_GATEWAYS))],
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[CoverageOut]:
    """Places that need a smoke detector and have none, building by building."""
    services = services_of(request)
    after = from_cursor(cursor, str) or ""
    with services.database.read() as session:
        houses = find_houses(session, "", caller.sees)
        page = sorted(code for code in houses.buildings if code > after)[: limit + 1]
        houses = replace(houses, buildings={code: houses.buildings[code] for code in page[:limit]})
        seen = as_seen(session, houses, units_of(session, houses))
        found = buildings_covered(session, houses, seen, standard_packs(), services.clock.now())
    items = [CoverageOut.model_validate(item, from_attributes=True) for item in found]
    return Page(items=items, next=to_cursor(page[limit - 1]) if page[limit:] else None)


@router.get("/devices")
def list_devices(
    *,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.SEE_GATEWAYS))],
    gateway: Annotated[str | None, Query(pattern=GATEWAY_ID_PATTERN)] = None,
    unit: Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$")] = None,
    q: Search = None,
    kind: Annotated[str | None, Query(max_length=16, pattern=r"^[a-z]*$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[DeviceOut]:
    """Devices that were ever heard, by `gateway/device`. `q`: a part of that, of the name or of the place's code."""
    placed = and_(col(DevicePlacementRow.code) == col(DeviceWatch.key), col(DevicePlacementRow.known_to).is_(None))
    query = (
        select(DeviceWatch, DevicePlacementRow)
        .join(DevicePlacementRow, placed, isouter=True)
        .where(col(DeviceWatch.key) > (from_cursor(cursor, str) or ""))
        .order_by(col(DeviceWatch.key))
        .limit(limit + 1)
    )
    if gateway is not None:
        query = query.where(DeviceWatch.gateway_id == gateway)
    if unit is not None:
        query = query.where(DeviceWatch.unit_code == unit)
    if q:
        query = query.where(
            holds(q, DeviceWatch.key, DeviceWatch.unit_code, DeviceWatch.building_code, DevicePlacementRow.name)
        )
    if kind:
        query = query.where(DeviceWatch.kind == kind)
    if caller.scopes:
        query = query.where(within_any(caller.scopes, DeviceWatch.unit_code, DeviceWatch.building_code))
    services = services_of(request)
    with services.database.read() as session:
        rows = session.exec(query).all()
        policy = policy_for(session, standard_packs(), None, services.clock.now())
    low_pct = policy.of("T3", t3_battery.Parameters).low_pct
    items = [_out(watch, placement, low_pct) for watch, placement in rows[:limit]]
    return Page(items=items, next=to_cursor(items[-1].key) if rows[limit:] else None)


def _out(watch: DeviceWatch, placement: DevicePlacementRow | None, low_pct: int) -> DeviceOut:
    seen = _seen.decode(watch.state)
    return DeviceOut(
        key=watch.key,
        gateway=watch.gateway_id,
        device=watch.device,
        kind=watch.kind,
        name=placement.name if placement else "",
        unit=watch.unit_code,
        building=watch.building_code,
        first_seen_at=watch.first_seen_at,
        last_seen_at=watch.last_seen_at,
        is_in_alarm=watch.in_alarm,
        is_online=seen.online,
        battery_pct=seen.battery_pct,
        is_battery_low=seen.battery_low,
        is_tampered=seen.tamper,
        has_fault=bool(seen.fault),
        fault=seen.fault if isinstance(seen.fault, str) else "",
        rssi_dbm=seen.rssi_dbm,
        battery_low_at=battery.low_at(seen.charges, low_pct),
        smoke=seen.smoke,
        is_silenced=seen.silenced,
        tested_at=seen.tested_at,
        lock=seen.lock,
        door_open_since=seen.door_open_since,
        camera=seen.camera,
        profile=seen.profile,
        firmware=seen.firmware,
    )
