"""What the ledger holds, or held at an instant, as the plain values that rules take: read in bulk, and kept."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, func, select

from hub.rules.known import (
    BookingKnown,
    BuildingKnown,
    CredentialKnown,
    DeviceKnown,
    LeaseKnown,
    OccupantKnown,
    PersonKnown,
    RegistrationKnown,
    RoomKnown,
    UnitKnown,
    WelfareKnown,
)
from hub.rules.place import Place
from hub.store.tables.ingest import Gateway
from hub.store.tables.registry import (
    Booking,
    Building,
    Credential,
    DevicePlacement,
    GatewayPlacement,
    Lease,
    Occupant,
    Person,
    Registration,
    RegistryRevision,
    Room,
    Scope,
    Unit,
    Versioned,
    Welfare,
)

R = TypeVar("R", bound=Versioned)
_CHUNK: Final = 500
_MOST_PLACES: Final = 200_000
_ADOPTIONS_KEPT: Final = 50
"""For so many transactions a gateway that is ours is taken to be so still; one that is not is asked for each time."""


def held_at(table: type[Versioned], as_of: datetime | None) -> ColumnElement[bool]:
    """The versions that were held for true at `as_of`; None is now."""
    if as_of is None:
        return col(table.known_to).is_(None)
    return and_(col(table.known_from) <= as_of, or_(col(table.known_to).is_(None), col(table.known_to) > as_of))


def read_rows(
    session: Session,
    table: type[R],
    as_of: datetime | None,
    column: object = None,
    values: Collection[str] | None = None,
) -> list[R]:
    """Rows held at `as_of`, narrowed to those whose `column` is among `values`, if given."""
    query = select(table).where(held_at(table, as_of)).order_by(col(table.code))
    if values is None:
        return list(session.exec(query))
    found: list[R] = []
    ordered = sorted(values)
    for start in range(0, len(ordered), _CHUNK):
        found += session.exec(query.where(col(column).in_(ordered[start : start + _CHUNK])))
    return found


class Ledger:
    """Answers where a device is and what is known of a unit. Call `refresh` at the start of each transaction.

    `as_of`: judge by what was known then (replay); None: by what is known now.
    """

    def __init__(self, as_of: datetime | None = None) -> None:
        self._as_of = as_of
        self._revision = -1
        self._places: dict[tuple[str, str, str | None], Place] = {}
        self._units: dict[str, UnitKnown | None] = {}
        self._buildings: dict[str, BuildingKnown | None] = {}
        self._credentials: dict[str, CredentialKnown | None] = {}
        self._scopes: dict[str, str | None] | None = None
        self._adopted: dict[str, tuple[bool, str | None]] = {}
        self._adoptions_left = 0

    @property
    def revision(self) -> int:
        """The number of the ledger's last change that is seen here."""
        return self._revision

    def refresh(self, session: Session, as_of: datetime | None = None) -> None:
        """Forget what has changed since the last call."""
        self._as_of = as_of
        query = select(func.max(RegistryRevision.id))
        if as_of is not None:
            query = query.where(col(RegistryRevision.at) <= as_of)
        revision = session.exec(query).one() or 0
        self._adoptions_left -= 1
        if self._adoptions_left <= 0 or revision != self._revision:
            self._adopted.clear()
            self._adoptions_left = _ADOPTIONS_KEPT
        if revision == self._revision:
            return
        touched = self._touched(session, revision)
        self._revision = revision
        self._places.clear()
        self._credentials.clear()
        if touched is None:
            self._units.clear()
            self._buildings.clear()
            self._scopes = None
        else:
            for code in touched:
                self._units.pop(code, None)

    def _touched(self, session: Session, revision: int) -> set[str] | None:
        if self._revision < 0 or revision < self._revision:
            return None
        query = select(RegistryRevision.units).where(
            col(RegistryRevision.id) > self._revision, col(RegistryRevision.id) <= revision
        )
        codes: set[str] = set()
        for units in session.exec(query):
            if units == "*":
                return None
            codes.update(units.split(","))
        return codes

    def place(self, session: Session, gateway: str, device: str, unit: str | None) -> Place:
        """Where a device is. What its event says of the unit counts when the ledger knows that unit."""
        key = (gateway, device, unit)
        found = self._places.get(key)
        is_adopted, building_code = self._adoption(session, gateway)
        if found is None:
            found = self._find_place(session, key, building_code)
            if len(self._places) > _MOST_PLACES:
                self._places.clear()
            self._places[key] = found
        if found.is_adopted != is_adopted:
            found = self._places[key] = replace(found, is_adopted=is_adopted)
        return found

    def _find_place(self, session: Session, key: tuple[str, str, str | None], building_code: str | None) -> Place:
        gateway, device, told = key
        rows = read_rows(session, DevicePlacement, self._as_of, DevicePlacement.code, [f"{gateway}/{device}"])
        known = _device(rows[0]) if rows else None
        unit = told if told is not None and self._unit_building(session, told) is not None else None
        if unit is None and known is not None:
            unit = known.unit_code
        building = self._unit_building(session, unit) if unit is not None else None
        building = building or (known.building_code if known else None) or building_code
        return Place(
            gateway, device, unit, self.building(session, building) if building else None, known, is_adopted=False
        )

    def _unit_building(self, session: Session, unit: str) -> str | None:
        cached = self._units.get(unit)
        if cached is not None:
            return cached.building.code
        query = select(Unit.building_code).where(held_at(Unit, self._as_of), Unit.code == unit)
        return session.exec(query).first()

    def _adoption(self, session: Session, gateway: str) -> tuple[bool, str | None]:
        found = self._adopted.get(gateway)
        if found is None:
            rows = read_rows(session, GatewayPlacement, self._as_of, GatewayPlacement.code, [gateway])
            row = session.exec(select(Gateway.state, Gateway.building_code).where(Gateway.id == gateway)).first()
            building = rows[0].building_code if rows else row[1] if row else None
            found = (bool(rows) or (row is not None and row[0] == "active"), building)
            if found[0]:
                self._adopted[gateway] = found
        return found

    def building(self, session: Session, code: str) -> BuildingKnown | None:
        """A building, or None when the ledger has none of that code."""
        if code not in self._buildings:
            rows = read_rows(session, Building, self._as_of, Building.code, [code])
            self._buildings[code] = _building(rows[0]) if rows else None
        return self._buildings[code]

    def buildings(self, session: Session) -> list[BuildingKnown]:
        """Every building."""
        return [_building(row) for row in read_rows(session, Building, self._as_of)]

    def devices(self, session: Session) -> list[DeviceKnown]:
        """Every device that has a place."""
        return [_device(row) for row in read_rows(session, DevicePlacement, self._as_of)]

    def credential(self, session: Session, ref: str) -> CredentialKnown | None:
        """What the ledger says of a credential."""
        if ref not in self._credentials:
            rows = read_rows(session, Credential, self._as_of, Credential.code, [ref])
            self._credentials[ref] = _credential(rows[0]) if rows else None
        return self._credentials[ref]

    def scope_path(self, session: Session, building: BuildingKnown) -> tuple[str, ...]:
        """The building's code, its scope, that one's parent, …, and last "" for the organisation."""
        if self._scopes is None:
            self._scopes = {row.code: row.parent_code for row in read_rows(session, Scope, self._as_of)}
        path = [building.code]
        scope = building.scope_code
        while scope is not None and scope not in path:
            path.append(scope)
            scope = self._scopes.get(scope)
        return (*path, "")

    def unit(self, session: Session, code: str) -> UnitKnown | None:
        """One unit with everything, or None when the ledger has none of that code."""
        return self.units(session, [code]).get(code)

    def units(self, session: Session, codes: Collection[str] | None = None) -> dict[str, UnitKnown]:
        """Units with everything, read in bulk. None: all of them."""
        if codes is None:
            query = select(Unit.code).where(held_at(Unit, self._as_of)).order_by(col(Unit.code))
            codes = list(session.exec(query))
        wanted = [code for code in codes if code not in self._units]
        if wanted:
            self._units.update(dict.fromkeys(wanted))
            self._units.update(_read_units(session, wanted, self._as_of, self.building))
        return {code: found for code in codes if (found := self._units[code]) is not None}


def _read_units(
    session: Session,
    codes: Collection[str],
    as_of: datetime | None,
    building: Callable[[Session, str], BuildingKnown | None],
) -> dict[str, UnitKnown]:
    occupants = _by_unit(read_rows(session, Occupant, as_of, Occupant.unit_code, codes))
    people = {row.person_code for rows in occupants.values() for row in rows}
    persons = {row.code: _person(row) for row in read_rows(session, Person, as_of, Person.code, people)}
    rooms = _by_unit(read_rows(session, Room, as_of, Room.unit_code, codes))
    leases = _by_unit(read_rows(session, Lease, as_of, Lease.unit_code, codes))
    filings = _by_unit(read_rows(session, Registration, as_of, Registration.unit_code, codes))
    credentials = _by_unit(read_rows(session, Credential, as_of, Credential.unit_code, codes))
    bookings = _by_unit(read_rows(session, Booking, as_of, Booking.unit_code, codes))
    devices = _by_unit(read_rows(session, DevicePlacement, as_of, DevicePlacement.unit_code, codes))
    welfare = {row.code: _welfare(row) for row in read_rows(session, Welfare, as_of, Welfare.code, codes)}
    found: dict[str, UnitKnown] = {}
    for row in read_rows(session, Unit, as_of, Unit.code, codes):
        place = building(session, row.building_code)
        if place is None:
            place = BuildingKnown(row.building_code, row.building_code, None, "", "unknown", None, None)
        found[row.code] = UnitKnown(
            code=row.code,
            building=place,
            entrance=row.entrance,
            floor=row.floor,
            door=row.door,
            let_as=row.let_as,
            is_vacant=row.is_vacant,
            counting_opt_out=row.counting_opt_out,
            grid_worker=row.grid_worker,
            rooms=tuple(_room(r) for r in rooms[row.code]),
            leases=tuple(_lease(r) for r in leases[row.code]),
            occupants=tuple(_occupant(r, persons) for r in occupants[row.code] if r.person_code in persons),
            registrations=tuple(_registration(r) for r in filings[row.code]),
            credentials=tuple(_credential(r) for r in credentials[row.code]),
            bookings=tuple(BookingKnown(r.purpose, r.from_at, r.to_at) for r in bookings[row.code]),
            devices=tuple(_device(r) for r in devices[row.code]),
            welfare=welfare.get(row.code),
        )
    return found


def _by_unit(rows: Iterable[R]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        found[row.unit_code].append(row)  # type: ignore[attr-defined]  # every table given here has the column
    return found


def _building(row: Building) -> BuildingKnown:
    return BuildingKnown(
        row.code, row.name, row.scope_code, row.jurisdiction, row.land_type, row.has_manager, row.keeps_register
    )


def _person(row: Person) -> PersonKnown:
    return PersonKnown(
        code=row.code,
        mask=row.name_mask,
        has_name=row.name_index is not None,
        document_type=row.document_type,
        has_document=row.document_index is not None,
        document_valid=row.document_valid,
        hukou_region=row.hukou_region,
        born_on=row.born_on,
        is_verified=row.identity_verified_on is not None,
    )


def _room(row: Room) -> RoomKnown:
    return RoomKnown(row.code, row.name, row.room_type, row.area_m2, row.area_basis)


def _lease(row: Lease) -> LeaseKnown:
    return LeaseKnown(
        code=row.code,
        room_code=row.room_code,
        tenant_code=row.tenant_code,
        lessor_code=row.lessor_code,
        start_on=row.start_on,
        end_on=row.end_on,
        ended_on=row.ended_on,
        objected_on=row.objected_on,
        renewal_talks_on=row.renewal_talks_on,
        parent_lease_code=row.parent_lease_code,
        sublease_consent=row.sublease_consent,
        entered_at=row.known_from,
    )


def _occupant(row: Occupant, persons: dict[str, PersonKnown]) -> OccupantKnown:
    return OccupantKnown(
        code=row.code,
        person=persons[row.person_code],
        room_code=row.room_code,
        lease_code=row.lease_code,
        role=row.role,
        from_on=row.from_on,
        to_on=row.to_on,
        guest_until=row.guest_until,
        family_group=row.family_group,
        entered_at=row.known_from,
    )


def _registration(row: Registration) -> RegistrationKnown:
    return RegistrationKnown(row.kind, row.person_code, row.lease_code, row.status, row.filed_on)


def _credential(row: Credential) -> CredentialKnown:
    return CredentialKnown(
        ref=row.code,
        kind=row.kind,
        mask=row.mask,
        unit_code=row.unit_code,
        person_code=row.person_code,
        lease_code=row.lease_code,
        purpose=row.purpose,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        revoked_at=row.revoked_at,
        entered_at=row.known_from,
    )


def _welfare(row: Welfare) -> WelfareKnown:
    return WelfareKnown(row.away_until, row.daytime_only, row.withdrawn_at)


def _device(row: DevicePlacement) -> DeviceKnown:
    return DeviceKnown(
        gateway=row.gateway_id,
        device=row.device,
        kind=row.kind,
        placement=row.placement,
        building_code=row.building_code,
        unit_code=row.unit_code,
        room_code=row.room_code,
        heartbeat_s=row.heartbeat_s,
        made_on=row.made_on,
        installed_on=row.installed_on,
        miss_rate=row.miss_rate,
        double_rate=row.double_rate,
        entered_at=row.known_from,
    )
