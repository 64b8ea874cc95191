"""Reading the registry for pages: buildings, units with everything, and one person's sealed words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, func, select

from hub.domain.entities import Credential, Lease, Occupant, Registration, Unit
from hub.domain.local_time import local_day
from hub.domain.observations import DeviceState
from hub.domain.scopes import within_any
from hub.domain.text import Text
from hub.errors import NotFoundError
from hub.read_models.unit_views import (
    BuildingView,
    CredentialView,
    DeviceView,
    LeaseView,
    NightView,
    OccupantView,
    PersonView,
    RoomView,
    UnitSummary,
    UnitView,
    VerdictView,
)
from hub.registry.personal_data.erasure import FORGOTTEN
from hub.registry.personal_data.vault import Vault
from hub.registry.snapshot import RegistrySnapshot, held_at, read_rows
from hub.rules.capacity import Limits, unit_cap
from hub.store.tables.alerts import AlertRow, CredentialDay, DeviceWatch, NightRow, RuleVerdict
from hub.store.tables.registry import BuildingRow, DevicePlacementRow, PersonRow, UnitRow

SOON: Final = timedelta(days=30)
"""A lease that ends within this time is shown as expiring (C7 reminds from then on)."""
_NIGHTS: Final = 31
_seen = msgspec.json.Decoder(DeviceState)
LimitsOf = Callable[[Unit], Limits]
DueOf = Callable[[Unit, Occupant], date | None]
"""By when an occupant has to be registered, where a clock runs."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """What was sealed of one person. Only for the answer to a reveal, which leaves an audit entry."""

    name: str | None
    phone: str | None
    document: str | None


def list_buildings(
    session: Session, scopes: Sequence[str], *, after: str = "", limit: int = 100
) -> tuple[list[BuildingView], str | None]:
    """Buildings by code, with how many units and open alerts each has; and the `after` of the next page."""
    query = select(BuildingRow).where(held_at(BuildingRow, None), col(BuildingRow.code) > after)
    if scopes:
        # A scope that is a single unit shows its building too.
        owners = select(UnitRow.building_code).where(held_at(UnitRow, None), within_any(scopes, UnitRow.code))
        query = query.where(within_any(scopes, BuildingRow.code) | col(BuildingRow.code).in_(owners))
    rows = session.exec(query.order_by(col(BuildingRow.code)).limit(limit + 1)).all()
    codes = [row.code for row in rows[:limit]]
    units = select(UnitRow.building_code, func.count()).where(
        held_at(UnitRow, None), col(UnitRow.building_code).in_(codes)
    )
    counts = dict(session.exec(units.group_by(UnitRow.building_code)).all())
    alerts = select(AlertRow.building_code, func.count()).where(
        col(AlertRow.resolved_at).is_(None), col(AlertRow.building_code).in_(codes)
    )
    opened = dict(session.exec(alerts.group_by(col(AlertRow.building_code))).all())
    found = [
        BuildingView(
            code=row.code,
            name=row.name,
            scope=row.scope_code,
            jurisdiction=row.jurisdiction,
            land_type=row.land_type,
            units=counts.get(row.code, 0),
            open_alerts=opened.get(row.code, 0),
        )
        for row in rows[:limit]
    ]
    return found, (codes[-1] if len(rows) > limit else None)


def list_units(
    session: Session,
    now: datetime,
    scopes: Sequence[str],
    *,
    building: str | None = None,
    text: str = "",
    after: str = "",
    limit: int = 200,
) -> tuple[list[UnitSummary], str | None]:
    """Units by code; and the `after` of the next page. `text`: an address in any form (`3-2-501`, `3幢2单元501室`)."""
    query = select(UnitRow).where(held_at(UnitRow, None), col(UnitRow.code) > after)
    if scopes:
        query = query.where(within_any(scopes, UnitRow.code, UnitRow.building_code))
    if building is not None:
        query = query.where(UnitRow.building_code == building)
    if text.strip():
        query = query.where(or_(*_address(text)))
    codes = [row.code for row in session.exec(query.order_by(col(UnitRow.code)).limit(limit + 1))]
    known = RegistrySnapshot()
    known.refresh(session)
    units = known.units(session, codes[:limit])
    opened = _open_alerts(session, units)
    nights = _last_nights(session, units, now)
    contested = _contested(session, units)
    day = local_day(now)
    found = [
        UnitSummary(
            code=unit.code,
            building=unit.building.code,
            entrance=unit.entrance,
            door=unit.door,
            floor=unit.floor,
            state=unit.state_on(day, SOON),
            is_disputed=unit.code in contested or unit.has_objection_on(day),
            occupants=len(unit.people_on(day)),
            open_alerts=opened.get(unit.code, (0, None))[0],
            worst=opened.get(unit.code, (0, None))[1],
            believed=nights.get(unit.code),
        )
        for unit in units.values()
    ]
    return found, (codes[limit - 1] if len(codes) > limit else None)


def _address(text: str) -> list[ColumnElement[bool]]:
    """The unit's code, or the numbers of what was written, in their order, as the end of a code."""
    plain = text.strip()
    numbers = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in plain).split()
    found = [col(UnitRow.code).contains(plain, autoescape=True), col(UnitRow.door) == plain]
    if numbers:
        found.append(col(UnitRow.code).endswith("-".join(["", *numbers]), autoescape=True))
        found.append(col(UnitRow.code) == "-".join(numbers))
    return found


def unit_view(session: Session, code: str, now: datetime, limits_of: LimitsOf, due_of: DueOf | None = None) -> UnitView:
    """One unit with what the registry and the devices say of it. Raises NotFoundError. `due_of` tells the clocks."""
    registry = RegistrySnapshot()
    registry.refresh(session)
    unit = registry.unit(session, code)
    if unit is None:
        raise NotFoundError(f"台账中没有房屋 {code} / unit {code}: the registry has none of that code")
    day = local_day(now)
    people = _people(session, unit)
    cap = unit_cap(unit, limits_of(unit), day)
    missing = _missing(unit)
    return UnitView(
        code=unit.code,
        building=unit.building.code,
        building_name=unit.building.name,
        entrance=unit.entrance,
        floor=unit.floor,
        door=unit.door,
        let_as=unit.let_as,
        land_type=unit.building.land_type,
        jurisdiction=unit.building.jurisdiction,
        state=unit.state_on(day, SOON),
        is_disputed=unit.has_objection_on(day) or bool(_contested(session, [code])),
        counting_opt_out=unit.counting_opt_out,
        capacity=None if isinstance(cap, Text) else cap.people,
        capacity_note=cap if isinstance(cap, Text) else cap.formula,
        registered_count=len(unit.people_on(day)),
        completeness=1 - len(missing) / len(_EXPECTED),
        missing=tuple(missing),
        rooms=tuple(RoomView.model_validate(room, from_attributes=True) for room in unit.rooms),
        leases=tuple(_lease(lease, unit, people, now) for lease in unit.leases),
        occupants=tuple(_occupant(occupant, unit, people, now, due_of) for occupant in unit.occupants),
        credentials=tuple(_credential(held, session, unit, people, now) for held in unit.credentials),
        devices=_devices(session, unit),
        nights=_nights(session, unit, now),
        not_evaluated=tuple(
            VerdictView(rule=row.rule_id, reason=Text(row.reason_zh, row.reason_en), at=row.at)
            for row in session.exec(select(RuleVerdict).where(RuleVerdict.subject == f"unit:{code}"))
        ),
    )


def reveal_person(session: Session, vault: Vault, unit: str, person: str) -> Revealed:
    """What is sealed of somebody who lives in, lets or rents `unit`. Raises NotFoundError for anybody else."""
    known = RegistrySnapshot()
    known.refresh(session)
    found = known.unit(session, unit)
    belongs = found is not None and person in {
        *(occupant.person.code for occupant in found.occupants),
        *(lease.tenant_code for lease in found.leases),
        *(lease.lessor_code for lease in found.leases),
    }
    rows = read_rows(session, PersonRow, None, PersonRow.code, [person]) if belongs else []
    if not rows:
        raise NotFoundError(f"本户没有此人 / person {person}: none of unit {unit}")
    [row] = rows
    return Revealed(
        name=None if row.name_sealed is None else vault.open("name", row.name_sealed),
        phone=None if row.phone_sealed is None else vault.open("phone", row.phone_sealed),
        document=None if row.document_sealed is None else vault.open("document", row.document_sealed),
    )


_EXPECTED: Final[tuple[tuple[str, Callable[[Unit], bool]], ...]] = (
    ("rooms", lambda unit: bool(unit.rooms)),
    ("areas", lambda unit: bool(unit.rooms) and all(room.area_m2 is not None for room in unit.rooms)),
    ("lease", lambda unit: unit.is_vacant or bool(unit.leases)),
    ("occupants", lambda unit: unit.is_vacant or bool(unit.occupants)),
    ("registration", lambda unit: unit.is_vacant or any(found.kind == "residence" for found in unit.registrations)),
    ("credentials", lambda unit: bool(unit.credentials)),
    ("devices", lambda unit: bool(unit.devices)),
)


def _missing(unit: Unit) -> list[str]:
    return [name for name, holds in _EXPECTED if not holds(unit)]


def _people(session: Session, unit: Unit) -> dict[str, PersonView]:
    codes = {occupant.person.code for occupant in unit.occupants}
    codes |= {code for lease in unit.leases for code in (lease.tenant_code, lease.lessor_code) if code}
    codes |= {held.person_code for held in unit.credentials if held.person_code}
    return {row.code: _person(row) for row in read_rows(session, PersonRow, None, PersonRow.code, codes)}


def _person(row: PersonRow) -> PersonView:
    return PersonView(
        code=row.code,
        name=row.name_mask,
        phone=row.phone_mask,
        document_type=row.document_type,
        document=row.document_mask,
        is_verified=row.identity_verified_on is not None,
        is_forgotten=row.name_mask == FORGOTTEN,
    )


def _filed(unit: Unit, matches: Callable[[Registration], bool]) -> Registration | None:
    return next((found for found in unit.registrations if matches(found)), None)


def _lease(lease: Lease, unit: Unit, people: dict[str, PersonView], now: datetime) -> LeaseView:
    day = local_day(now)
    if lease.ended_on is not None and lease.ended_on <= day:
        state = "ended"
    elif day < lease.start_on:
        state = "upcoming"
    else:
        state = "expired" if lease.is_expired_on(day) else "running"
    filing = _filed(unit, lambda found: found.kind == "contract" and found.lease_code == lease.code)
    return LeaseView.model_validate(
        {
            "code": lease.code,
            "room": lease.room_code,
            "lessor": people.get(lease.lessor_code or ""),
            "tenant": people.get(lease.tenant_code or ""),
            "start_on": lease.start_on,
            "end_on": lease.end_on,
            "ended_on": lease.ended_on,
            "state": state,
            "contract_filed_on": filing.filed_on if filing else None,
            "entered_at": lease.entered_at,
        }
    )


def _occupant(
    occupant: Occupant, unit: Unit, people: dict[str, PersonView], now: datetime, due_of: DueOf | None
) -> OccupantView:
    code = occupant.person.code
    is_current = occupant.is_here_on(local_day(now))
    filing = _filed(unit, lambda found: found.kind == "residence" and found.person_code == code)
    return OccupantView(
        code=occupant.code,
        person=people[code],
        role=occupant.role,
        room=occupant.room_code,
        from_on=occupant.from_on,
        to_on=occupant.to_on,
        guest_until=occupant.guest_until,
        is_current=is_current,
        residence_registered_on=filing.filed_on if filing else None,
        register_by=due_of(unit, occupant) if is_current and due_of is not None else None,
        entered_at=occupant.entered_at,
    )


def _credential(
    held: Credential, session: Session, unit: Unit, people: dict[str, PersonView], now: datetime
) -> CredentialView:
    used = select(func.max(CredentialDay.last_at)).where(
        CredentialDay.ref == held.ref, CredentialDay.unit_code == unit.code
    )
    return CredentialView(
        kind=held.kind,
        mask=held.mask,
        person=people.get(held.person_code or ""),
        purpose=held.purpose,
        valid_from=held.valid_from,
        valid_to=held.valid_to,
        is_revoked=held.revoked_at is not None and held.revoked_at <= now,
        last_used_at=session.exec(used).one(),
    )


def _devices(session: Session, unit: Unit) -> tuple[DeviceView, ...]:
    placed = {
        row.code: row for row in read_rows(session, DevicePlacementRow, None, DevicePlacementRow.unit_code, [unit.code])
    }
    query = select(DeviceWatch).where(or_(col(DeviceWatch.unit_code) == unit.code, col(DeviceWatch.key).in_(placed)))
    heard = {row.key: row for row in session.exec(query)}
    return tuple(_device(key, placed.get(key), heard.get(key)) for key in sorted({*placed, *heard}))


def _device(key: str, placed: DevicePlacementRow | None, heard: DeviceWatch | None) -> DeviceView:
    gateway, _, device = key.partition("/")
    seen = DeviceState() if heard is None else _seen.decode(heard.state)
    return DeviceView(
        gateway=gateway,
        device=device,
        kind=placed.kind if placed else heard.kind if heard else "other",
        placement=placed.placement if placed else "",
        name=placed.name if placed else "",
        room=placed.room_code if placed else None,
        last_seen_at=heard.last_seen_at if heard else None,
        battery_pct=seen.battery_pct,
        alarm=heard.in_alarm if heard else False,
        is_online=seen.online,
    )


def _nights(session: Session, unit: Unit, now: datetime) -> tuple[NightView, ...]:
    first = local_day(now) - timedelta(days=_NIGHTS)
    query = select(NightRow).where(NightRow.place == unit.code, col(NightRow.night) >= first)
    return tuple(
        NightView.model_validate(row, from_attributes=True) for row in session.exec(query.order_by(col(NightRow.night)))
    )


def _open_alerts(session: Session, codes: Iterable[str]) -> dict[str, tuple[int, str | None]]:
    query = (
        select(AlertRow.unit_code, func.count(), func.min(AlertRow.severity))
        .where(col(AlertRow.resolved_at).is_(None), col(AlertRow.unit_code).in_(list(codes)))
        .group_by(col(AlertRow.unit_code))
    )
    return {unit: (count, worst) for unit, count, worst in session.exec(query) if unit is not None}


def _contested(session: Session, codes: Iterable[str]) -> set[str]:
    """Those of these units whose household contests an alert that is not answered yet."""
    query = select(AlertRow.unit_code).where(
        AlertRow.review == "contested", col(AlertRow.resolved_at).is_(None), col(AlertRow.unit_code).in_(list(codes))
    )
    return {code for code in session.exec(query) if code is not None}


def _last_nights(session: Session, codes: Iterable[str], now: datetime) -> dict[str, NightView]:
    query = select(NightRow).where(
        col(NightRow.place).in_(list(codes)),
        col(NightRow.night) >= local_day(now) - timedelta(days=2),
        NightRow.abstained == "",
    )
    found: dict[str, NightView] = {}
    for row in session.exec(query.order_by(col(NightRow.night))):
        found[row.place] = NightView.model_validate(row, from_attributes=True)
    return found


def building_of(session: Session, unit: str) -> str | None:
    """The building of a unit that the registry has, else None."""
    return session.exec(select(UnitRow.building_code).where(held_at(UnitRow, None), UnitRow.code == unit)).first()
