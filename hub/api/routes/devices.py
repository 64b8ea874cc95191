"""Devices: what each last said of itself, and where it stands by the ledger."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from sqlmodel import and_, col, or_, select

from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.access.roles import Right
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.rules.seen import DeviceSeen
from hub.store.tables.alerts import DeviceWatch
from hub.store.tables.registry import DevicePlacement
from wire.ids import GATEWAY_ID_PATTERN

router = APIRouter(tags=["devices"])
_seen = msgspec.json.Decoder(DeviceSeen)


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


@router.get("/devices")
def list_devices(
    *,
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.SEE_GATEWAYS))],
    gateway: Annotated[str | None, Query(pattern=GATEWAY_ID_PATTERN)] = None,
    unit: Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[DeviceOut]:
    """Devices that were ever heard, by `gateway/device`."""
    placed = and_(col(DevicePlacement.code) == col(DeviceWatch.key), col(DevicePlacement.known_to).is_(None))
    query = (
        select(DeviceWatch, DevicePlacement)
        .join(DevicePlacement, placed, isouter=True)
        .where(col(DeviceWatch.key) > (from_cursor(cursor, str) or ""))
        .order_by(col(DeviceWatch.key))
        .limit(limit + 1)
    )
    if gateway is not None:
        query = query.where(DeviceWatch.gateway_id == gateway)
    if unit is not None:
        query = query.where(DeviceWatch.unit_code == unit)
    if caller.scopes:
        query = query.where(
            or_(
                *(
                    condition
                    for scope in caller.scopes
                    for column in (DeviceWatch.unit_code, DeviceWatch.building_code)
                    for condition in (col(column) == scope, col(column).startswith(f"{scope}-", autoescape=True))
                )
            )
        )
    with services_of(request).database.read() as session:
        rows = session.exec(query).all()
    items = [_out(watch, placement) for watch, placement in rows[:limit]]
    return Page(items=items, next=to_cursor(items[-1].key) if rows[limit:] else None)


def _out(watch: DeviceWatch, placement: DevicePlacement | None) -> DeviceOut:
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
    )
