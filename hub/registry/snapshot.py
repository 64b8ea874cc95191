"""What the registry holds, or held at an instant, as the plain values that rules take: read in bulk, and kept."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, func, select

from hub.domain.device_location import Place
from hub.domain.entities import (
    Booking,
    Building,
    Credential,
    Device,
    Unit,
)
from hub.registry import row_mapping
from hub.store.tables.ingest import Gateway
from hub.store.tables.registry import (
    BookingRow,
    BuildingRow,
    CredentialRow,
    DevicePlacementRow,
    GatewayPlacementRow,
    HelpServiceRow,
    LeaseRow,
    OccupantRow,
    PersonRow,
    RegistrationRow,
    RegistryRevision,
    RoomRow,
    ScopeRow,
    UnitRow,
    Versioned,
    WelfareRow,
)

R = TypeVar("R", bound=Versioned)
_CHUNK: Final = 500
_MOST_PLACES: Final = 200_000
_MOST_CREDENTIALS: Final = 200_000
_ADOPTIONS_KEPT: Final = 50
"""For so many transactions a gateway that is ours is taken to be so still; for others each one asks again."""

PlaceKey: TypeAlias = tuple[str, str, str | None]
"""Gateway, device, and the unit that the event tells."""

Adoption: TypeAlias = tuple[bool, str | None]
"""Whether a gateway is ours, and its building."""


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


class RegistrySnapshot:
    """Answers where a device is and what is known of a unit. Call `refresh` at the start of each transaction.

    `as_of`: judge by what was known then (replay); None: by what is known now.
    """

    def __init__(self, as_of: datetime | None = None) -> None:
        self._as_of = as_of
        self._revision = -1
        self._places: dict[PlaceKey, tuple[Place, Adoption]] = {}
        self._units: dict[str, Unit | None] = {}
        self._buildings: dict[str, Building | None] = {}
        self._credentials: dict[str, Credential | None] = {}
        self._scopes: dict[str, str | None] | None = None
        self._adopted: dict[str, Adoption] = {}
        self._strangers: dict[str, Adoption] = {}
        self._adoptions_left = 0

    @property
    def revision(self) -> int:
        """The number of the registry's last change that is seen here."""
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
        self._strangers.clear()
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
        """Where a device is. What its event says of the unit counts when the registry knows that unit."""
        key = (gateway, device, unit)
        found = self._places.get(key)
        if found is None or found[1] != self._adoption(gateway):
            self.look_up(session, [key])
            found = self._places[key]
        return found[0]

    def ours(self, session: Session, gateways: Collection[str]) -> set[str]:
        """Those of these gateways that belong to us."""
        asked = {gateway for gateway in gateways if self._adoption(gateway) is None}
        if asked:
            for gateway, adoption in self._read_adoptions(session, asked).items():
                (self._adopted if adoption[0] else self._strangers)[gateway] = adoption
        return {gateway for gateway in gateways if gateway in self._adopted}

    def look_up(self, session: Session, keys: Collection[PlaceKey]) -> None:
        """Find all these places at once: `place` then asks the database for none of them."""
        self.ours(session, {gateway for gateway, _, _ in keys})
        adoptions = {key: self._adoption(key[0]) or (False, None) for key in keys}
        wanted = [key for key in keys if (found := self._places.get(key)) is None or found[1] != adoptions[key]]
        if not wanted:
            return
        if len(self._places) + len(wanted) > _MOST_PLACES:
            self._places.clear()
        codes = {f"{gateway}/{device}" for gateway, device, _ in wanted}
        rows = read_rows(session, DevicePlacementRow, self._as_of, DevicePlacementRow.code, codes)
        placed = {row.code: row_mapping.device(row) for row in rows}
        units = {told for _, _, told in wanted if told is not None}
        units |= {known.unit_code for known in placed.values() if known.unit_code is not None}
        homes = {row.code: row.building_code for row in read_rows(session, UnitRow, self._as_of, UnitRow.code, units)}
        for key in wanted:
            gateway, device, told = key
            known = placed.get(f"{gateway}/{device}")
            adoption = is_adopted, building = adoptions[key]
            unit = told if told in homes else known.unit_code if known is not None else None
            if known is not None and known.building_code is not None:
                building = known.building_code
            building = homes.get(unit or "", building)
            held = self.building(session, building) if building else None
            self._places[key] = (Place(gateway, device, unit, held, known, is_adopted), adoption)

    def _adoption(self, gateway: str) -> Adoption | None:
        return self._adopted.get(gateway) or self._strangers.get(gateway)

    def _read_adoptions(self, session: Session, gateways: Collection[str]) -> dict[str, Adoption]:
        """Whether gateways are ours, and the building of each, if any is known."""
        rows = read_rows(session, GatewayPlacementRow, self._as_of, GatewayPlacementRow.code, gateways)
        placed: dict[str, str | None] = {row.code: row.building_code for row in rows}
        found: dict[str, Adoption] = {gateway: (gateway in placed, placed.get(gateway)) for gateway in gateways}
        ordered = sorted(gateways)
        for start in range(0, len(ordered), _CHUNK):
            query = select(Gateway.id, Gateway.state, Gateway.building_code)
            for gateway, state, building in session.exec(
                query.where(col(Gateway.id).in_(ordered[start : start + _CHUNK]))
            ):
                if gateway not in placed:
                    found[gateway] = (state == "active", building)
        return found

    def building(self, session: Session, code: str) -> Building | None:
        """A building, or None when the registry has none of that code."""
        if code not in self._buildings:
            rows = read_rows(session, BuildingRow, self._as_of, BuildingRow.code, [code])
            self._buildings[code] = row_mapping.building(rows[0]) if rows else None
        return self._buildings[code]

    def buildings(self, session: Session) -> list[Building]:
        """Every building."""
        return [row_mapping.building(row) for row in read_rows(session, BuildingRow, self._as_of)]

    def devices(self, session: Session) -> list[Device]:
        """Every device that has a place."""
        return [row_mapping.device(row) for row in read_rows(session, DevicePlacementRow, self._as_of)]

    def credential(self, session: Session, ref: str) -> Credential | None:
        """What the registry says of a credential."""
        if ref not in self._credentials:
            self.look_up_credentials(session, {ref})
        return self._credentials[ref]

    def look_up_credentials(self, session: Session, refs: Collection[str]) -> None:
        """Find all these credentials at once: `credential` then asks the database for none of them."""
        wanted = [ref for ref in refs if ref not in self._credentials]
        if not wanted:
            return
        if len(self._credentials) + len(wanted) > _MOST_CREDENTIALS:
            self._credentials.clear()
        self._credentials.update(dict.fromkeys(wanted))
        rows = read_rows(session, CredentialRow, self._as_of, CredentialRow.code, wanted)
        self._credentials.update({row.code: row_mapping.credential(row) for row in rows})

    def scope_path(self, session: Session, building: Building) -> tuple[str, ...]:
        """The building's code, its scope, that one's parent, …, and last "" for the organisation."""
        if self._scopes is None:
            self._scopes = {row.code: row.parent_code for row in read_rows(session, ScopeRow, self._as_of)}
        path = [building.code]
        scope = building.scope_code
        while scope is not None and scope not in path:
            path.append(scope)
            scope = self._scopes.get(scope)
        return (*path, "")

    def unit(self, session: Session, code: str) -> Unit | None:
        """One unit with everything, or None when the registry has none of that code."""
        return self.units(session, [code]).get(code)

    def units(self, session: Session, codes: Collection[str] | None = None) -> dict[str, Unit]:
        """Units with everything, read in bulk. None: all of them."""
        if codes is None:
            query = select(UnitRow.code).where(held_at(UnitRow, self._as_of)).order_by(col(UnitRow.code))
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
    building: Callable[[Session, str], Building | None],
) -> dict[str, Unit]:
    occupants = _by_unit(read_rows(session, OccupantRow, as_of, OccupantRow.unit_code, codes))
    people = {row.person_code for rows in occupants.values() for row in rows}
    persons = {
        row.code: row_mapping.person(row) for row in read_rows(session, PersonRow, as_of, PersonRow.code, people)
    }
    rooms = _by_unit(read_rows(session, RoomRow, as_of, RoomRow.unit_code, codes))
    leases = _by_unit(read_rows(session, LeaseRow, as_of, LeaseRow.unit_code, codes))
    filings = _by_unit(read_rows(session, RegistrationRow, as_of, RegistrationRow.unit_code, codes))
    credentials = _by_unit(read_rows(session, CredentialRow, as_of, CredentialRow.unit_code, codes))
    bookings = _by_unit(read_rows(session, BookingRow, as_of, BookingRow.unit_code, codes))
    devices = _by_unit(read_rows(session, DevicePlacementRow, as_of, DevicePlacementRow.unit_code, codes))
    welfare = {
        row.code: row_mapping.welfare(row) for row in read_rows(session, WelfareRow, as_of, WelfareRow.code, codes)
    }
    helped = read_rows(session, HelpServiceRow, as_of, HelpServiceRow.code, codes)
    buttons = {row.code: row_mapping.help_service(row) for row in helped}
    found: dict[str, Unit] = {}
    for row in read_rows(session, UnitRow, as_of, UnitRow.code, codes):
        place = building(session, row.building_code)
        if place is None:
            place = Building(row.building_code, row.building_code, None, "", "unknown", None, None)
        found[row.code] = Unit(
            code=row.code,
            building=place,
            entrance=row.entrance,
            floor=row.floor,
            door=row.door,
            let_as=row.let_as,
            is_vacant=row.is_vacant,
            counting_opt_out=row.counting_opt_out,
            grid_worker=row.grid_worker,
            rooms=tuple(row_mapping.room(r) for r in rooms[row.code]),
            leases=tuple(row_mapping.lease(r) for r in leases[row.code]),
            occupants=tuple(row_mapping.occupant(r, persons) for r in occupants[row.code] if r.person_code in persons),
            registrations=tuple(row_mapping.registration(r) for r in filings[row.code]),
            credentials=tuple(row_mapping.credential(r) for r in credentials[row.code]),
            bookings=tuple(Booking(r.purpose, r.from_at, r.to_at) for r in bookings[row.code]),
            devices=tuple(row_mapping.device(r) for r in devices[row.code]),
            welfare=welfare.get(row.code),
            help_button=buttons.get(row.code),
        )
    return found


def _by_unit(rows: Iterable[R]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        found[row.unit_code].append(row)  # type: ignore[attr-defined]  # every table given here has the column
    return found
