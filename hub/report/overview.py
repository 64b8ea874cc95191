"""Today at a glance: what is open, what came lately, each building in one line, devices and duty. Aggregates only."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from pydantic import BaseModel, ConfigDict
from sqlmodel import Session, col, select

from hub.domain.local_time import local_day, start_of
from hub.domain.observations import DeviceState
from hub.domain.subject import AlertClass
from hub.policies.packs import standard_packs
from hub.read_models.detector_coverage import buildings_covered
from hub.read_models.scopes import Houses, Sees, as_seen, find_houses, gateways_of, units_of
from hub.read_models.units import SOON
from hub.registry.snapshot import RegistrySnapshot
from hub.rules.building import BuildingContents
from hub.rules.policy import PackSet
from hub.store.tables.alerts import AlertRow, DeviceWatch, DutyShift
from hub.store.tables.ingest import Gateway

_DAYS: Final = 30
_seen = msgspec.json.Decoder(DeviceState)
_HOUR: Final = timedelta(hours=1)
_ROSTER: Final = timedelta(hours=24)


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClassNow(_View):
    """One class of alerts now, and what came and went since midnight."""

    alert_class: AlertClass
    open: int
    unacknowledged: int
    overdue: int
    opened_today: int
    resolved_today: int


class Opened(_View):
    """Alerts that were opened in the hour, or on the day, that begins at `at`."""

    at: datetime
    by_class: dict[AlertClass, int]


class BuildingNow(_View):
    """One building: its units by state, its people by the registry, its open alerts, its gateways, its detectors.

    `detectors_required`: null when the threshold of its jurisdiction is not known.
    """

    code: str
    name: str
    scope: str | None
    units: int
    states: dict[str, int]
    residents: int
    by_class: dict[AlertClass, int]
    worst: str | None
    is_life_at_risk: bool
    gateways: int
    gateways_away: int
    places: int
    missing: int
    detectors_required: bool | None


class DevicesNow(_View):
    """Devices and gateways by how they fare; a device may be counted in more than one way."""

    gateways: int
    gateways_away: int
    devices: int
    in_alarm: int
    low_battery: int
    tampered: int
    faulty: int
    offline: int


class ShiftNow(_View):
    """Who is on duty in the next 24 hours: the name of a recipient of messages, as the organisation chose it."""

    recipient: str
    scope: str
    level: int
    begin: datetime
    end: datetime
    is_now: bool


class Overview(_View):
    """What a wall shows. Nobody who lives anywhere is named, and no unit is."""

    at: datetime
    scope: str
    scope_name: str
    classes: tuple[ClassNow, ...]
    hours: tuple[Opened, ...]
    days: tuple[Opened, ...]
    buildings: tuple[BuildingNow, ...]
    devices: DevicesNow
    duty: tuple[ShiftNow, ...]


def overview(
    session: Session,
    scope: str,
    sees: Sees,
    now: datetime,
    *,
    registry: RegistrySnapshot | None = None,
    packs: PackSet | None = None,
) -> Overview:
    """The scope now. Raises NotFoundError for a scope that is not there or may not be seen."""
    houses = find_houses(session, scope, sees, registry=registry)
    seen = as_seen(session, houses, units_of(session, houses))
    alerts = _alerts(session, houses, now)
    gateways = [row for row in gateways_of(session, houses).values() if row.state != "retired"]
    return Overview(
        at=now,
        scope=houses.code,
        scope_name=houses.name,
        classes=tuple(_class(kind, alerts, now) for kind in AlertClass),
        hours=_series(alerts, [_hour(now) - n * _HOUR for n in reversed(range(24))], _HOUR),
        days=_series(
            alerts, [start_of(local_day(now)) - timedelta(days=n) for n in reversed(range(_DAYS))], timedelta(days=1)
        ),
        buildings=_buildings(session, houses, seen, alerts, gateways, now=now, packs=packs or standard_packs()),
        devices=_devices(session, houses, gateways, _away(alerts, gateways)),
        duty=_duty(session, houses, now),
    )


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _alerts(session: Session, houses: Houses, now: datetime) -> list[AlertRow]:
    """Those that are open, and those of the last weeks."""
    since = start_of(local_day(now)) - timedelta(days=_DAYS)
    query = select(AlertRow).where(
        col(AlertRow.resolved_at).is_(None)
        | (col(AlertRow.opened_at) >= since)
        | (col(AlertRow.resolved_at) >= start_of(local_day(now)))
    )
    return [row for row in session.exec(query) if houses.holds(row.building_code)]


def _is_shelved(row: AlertRow, now: datetime) -> bool:
    return row.shelved_until is not None and row.shelved_until > now


def _is_late(row: AlertRow, now: datetime) -> bool:
    waits = row.acknowledged_at is None and row.due_ack_at is not None and row.due_ack_at < now
    return waits or (row.due_act_at is not None and row.due_act_at < now)


def _class(kind: AlertClass, alerts: Iterable[AlertRow], now: datetime) -> ClassNow:
    mine = [row for row in alerts if row.alert_class == kind]
    waiting = [row for row in mine if row.resolved_at is None and not _is_shelved(row, now)]
    today = start_of(local_day(now))
    return ClassNow(
        alert_class=kind,
        open=len(waiting),
        unacknowledged=sum(row.acknowledged_at is None for row in waiting),
        overdue=sum(_is_late(row, now) for row in waiting),
        opened_today=sum(row.opened_at >= today for row in mine),
        resolved_today=sum(row.resolved_at is not None and row.resolved_at >= today for row in mine),
    )


def _series(alerts: Iterable[AlertRow], starts: list[datetime], step: timedelta) -> tuple[Opened, ...]:
    counts: dict[int, Counter[AlertClass]] = defaultdict(Counter)
    for row in alerts:
        counts[(row.opened_at - starts[0]) // step][AlertClass(row.alert_class)] += 1
    return tuple(Opened(at=at, by_class=dict(counts[n])) for n, at in enumerate(starts))


def _buildings(
    session: Session,
    houses: Houses,
    seen: list[BuildingContents],
    alerts: Iterable[AlertRow],
    gateways: list[Gateway],
    *,
    now: datetime,
    packs: PackSet,
) -> tuple[BuildingNow, ...]:
    opened: dict[str | None, list[AlertRow]] = defaultdict(list)
    for row in alerts:
        if row.resolved_at is None and not _is_shelved(row, now):
            opened[row.building_code].append(row)
    boxes: dict[str | None, list[Gateway]] = defaultdict(list)
    for box in gateways:
        boxes[box.building_code].append(box)
    day = local_day(now)
    away = _away(alerts, gateways)
    found = []
    for covered, building in zip(buildings_covered(session, houses, seen, packs, now), seen, strict=True):
        code = building.building.code
        mine = opened[code]
        found.append(
            BuildingNow(
                code=code,
                name=building.building.name,
                scope=building.building.scope_code,
                units=len(building.units),
                states=dict(Counter(unit.state_on(day, SOON) for unit in building.units)),
                residents=building.people(day),
                by_class=dict(Counter(AlertClass(row.alert_class) for row in mine)),
                worst=min((row.severity for row in mine), default=None),
                is_life_at_risk=any(
                    row.alert_class == AlertClass.LIFE and row.is_active and row.severity == "P0" for row in mine
                ),
                gateways=len(boxes[code]),
                gateways_away=sum(box.id in away for box in boxes[code]),
                places=covered.places,
                missing=sum(gap.missing for gap in covered.gaps),
                detectors_required=covered.is_required,
            )
        )
    return tuple(found)


def _away(alerts: Iterable[AlertRow], gateways: Iterable[Gateway]) -> set[str]:
    """Gateways whose link is gone, or that have said nothing for too long (T1)."""
    silent = {row.gateway_id for row in alerts if row.rule_id == "T1" and row.is_active and row.resolved_at is None}
    return {box.id for box in gateways if box.link == "offline" or box.id in silent}


def _devices(session: Session, houses: Houses, gateways: list[Gateway], away: set[str]) -> DevicesNow:
    boxes = {box.id for box in gateways}
    watched = [
        (row.in_alarm, _seen.decode(row.state))
        for row in session.exec(select(DeviceWatch))
        if (row.building_code in houses.buildings) or (row.building_code is None and row.gateway_id in boxes)
    ]
    return DevicesNow(
        gateways=len(gateways),
        gateways_away=len(away),
        devices=len(watched),
        in_alarm=sum(alarm for alarm, _ in watched),
        low_battery=sum(bool(seen.battery_low) or (seen.battery_pct or 100) < 20 for _, seen in watched),
        tampered=sum(bool(seen.tamper) for _, seen in watched),
        faulty=sum(bool(seen.fault) for _, seen in watched),
        offline=sum(seen.online is False for _, seen in watched),
    )


def _duty(session: Session, houses: Houses, now: datetime) -> tuple[ShiftNow, ...]:
    """Shifts of these houses or of everywhere, of now and the next 24 hours."""
    above = {code for found in houses.buildings.values() for code in houses.registry.scope_path(session, found)} | {""}
    query = select(DutyShift).where(col(DutyShift.to_at) > now, col(DutyShift.from_at) < now + _ROSTER)
    return tuple(
        ShiftNow(
            recipient=row.recipient,
            scope=row.scope_code,
            level=row.level,
            begin=row.from_at,
            end=row.to_at,
            is_now=row.from_at <= now,
        )
        for row in session.exec(query.order_by(col(DutyShift.level), col(DutyShift.from_at), col(DutyShift.id)))
        if row.scope_code in above
    )
