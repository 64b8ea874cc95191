"""From a seed to records. Problems are collected with the place in the file, not raised one by one."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from hub.domain.local_time import start_of
from hub.registry.changeset import Wanted, Where
from hub.registry.personal_data.identity import clean_document
from hub.registry.personal_data.person_record import PersonWords, person_row
from hub.registry.personal_data.vault import Vault
from hub.registry.yaml_import.seed import (
    BuildingSeed,
    CredentialSeed,
    DeviceSeed,
    LeaseSeed,
    OccupantSeed,
    Seed,
    UnitSeed,
)
from hub.store.base import from_ms
from hub.store.tables.registry import (
    BookingRow,
    BuildingRow,
    CredentialRow,
    DevicePlacementRow,
    GatewayPlacementRow,
    HelpServiceRow,
    LeaseRow,
    OccupantRow,
    RegistrationRow,
    RoomRow,
    ScopeRow,
    UnitRow,
    Versioned,
    WelfareRow,
)
from wire.ids import canonical_card, credential_ref

Loc = tuple[str | int, ...]
NOT_YET = from_ms(0)
"""`known_from` of a record that has not been written."""


@dataclass
class SeedRows:
    """The records of a file, and what is wrong with it."""

    line_of: "LineOf"
    vault: Vault
    organisation_key: bytes
    today: date
    wanted: list[Wanted] = field(default_factory=list)
    faults: list[tuple[Loc, str]] = field(default_factory=list)

    def add(self, row: Versioned, loc: Loc) -> None:
        """One more record."""
        self.wanted.append(Wanted(row, self.line_of(loc)))


class LineOf:
    """Where a place of the file is."""

    def __call__(self, loc: Loc) -> Where:
        """The file, line and key."""
        raise NotImplementedError


def collect(seed: Seed, rows: SeedRows) -> None:
    """Turn every table of the seed into records of `rows`."""
    for n, scope in enumerate(seed.scopes):
        rows.add(
            ScopeRow(code=scope.code, known_from=NOT_YET, kind=scope.kind, name=scope.name, parent_code=scope.parent),
            ("scopes", n),
        )
    for n, building in enumerate(seed.buildings):
        _building(building, rows, ("buildings", n))
    for n, person in enumerate(seed.people):
        loc: Loc = ("people", n)
        try:
            document = (
                clean_document(person.document.type, str(person.document.number), rows.today)
                if person.document
                else None
            )
        except ValueError as error:
            rows.faults.append(((*loc, "document", "number"), str(error)))
            continue
        words = PersonWords(
            person.code,
            person.name,
            str(person.phone) if person.phone else None,
            document,
            person.hukou or "",
            person.born,
            person.verified_on,
            person.verified_by,
        )
        try:
            rows.add(person_row(words, rows.vault, rows.today), loc)
        except ValueError as error:
            rows.faults.append((loc, str(error)))
    for n, unit in enumerate(seed.units):
        _unit(unit, rows, ("units", n))


def _building(building: BuildingSeed, rows: SeedRows, loc: Loc) -> None:
    rows.add(
        BuildingRow(
            code=building.code,
            known_from=NOT_YET,
            name=building.name,
            scope_code=building.scope,
            jurisdiction=building.jurisdiction or "",
            land_type=building.land_type,
            has_manager=building.has_manager,
            keeps_register=building.keeps_register,
        ),
        loc,
    )
    for n, gateway in enumerate(building.gateways):
        rows.add(
            GatewayPlacementRow(code=gateway, known_from=NOT_YET, building_code=building.code), (*loc, "gateways", n)
        )
    for n, device in enumerate(building.devices):
        _device(device, rows, (*loc, "devices", n), building.code, None)


def _device(device: DeviceSeed, rows: SeedRows, loc: Loc, building: str, unit: str | None) -> None:
    rows.add(
        DevicePlacementRow(
            code=f"{device.gateway}/{device.device}",
            known_from=NOT_YET,
            gateway_id=device.gateway,
            device=device.device,
            kind=device.kind,
            building_code=building,
            unit_code=unit,
            room_code=device.room,
            placement=device.placement if unit or device.placement != "unit_door" else "common",
            name=device.name,
            heartbeat_s=device.heartbeat_s,
            made_on=device.made_on,
            installed_on=device.installed_on,
            miss_rate=device.miss_rate,
            double_rate=device.double_rate,
        ),
        loc,
    )


def _unit(unit: UnitSeed, rows: SeedRows, loc: Loc) -> None:
    rows.add(
        UnitRow(
            code=unit.code,
            known_from=NOT_YET,
            building_code=unit.building,
            entrance=unit.entrance,
            floor=unit.floor,
            door=unit.door,
            let_as=unit.let_as,
            is_vacant=unit.vacant,
            counting_opt_out=unit.counting_opt_out,
            owner_code=unit.owner,
            grid_worker=unit.grid_worker,
        ),
        loc,
    )
    for n, room in enumerate(unit.rooms):
        rows.add(
            RoomRow(
                code=room.code or room_code(unit.code, room.name),
                known_from=NOT_YET,
                unit_code=unit.code,
                name=room.name,
                room_type=room.type,
                area_m2=room.area_m2,
                area_basis=room.basis,
            ),
            (*loc, "rooms", n),
        )
    for n, lease in enumerate(unit.leases):
        _lease(lease, unit, rows, (*loc, "leases", n))
    for n, guest in enumerate(unit.guests):
        _occupant(guest, unit.code, None, rows, (*loc, "guests", n))
    if unit.house_registered_on is not None:
        rows.add(
            RegistrationRow(
                code=f"house/{unit.code}",
                known_from=NOT_YET,
                kind="house",
                unit_code=unit.code,
                number=unit.house_registration_no,
                filed_on=unit.house_registered_on,
            ),
            (*loc, "house_registered_on"),
        )
    for n, held in enumerate(unit.credentials):
        _credential(held, unit.code, rows, (*loc, "credentials", n))
    for n, device in enumerate(unit.devices):
        _device(device, rows, (*loc, "devices", n), unit.building, unit.code)
    for n, booking in enumerate(unit.bookings):
        rows.add(
            BookingRow(
                code=f"{unit.code}/{booking.purpose}/{booking.start.isoformat()}",
                known_from=NOT_YET,
                unit_code=unit.code,
                purpose=booking.purpose,
                from_at=booking.start,
                to_at=booking.end,
                reason=booking.reason,
            ),
            (*loc, "bookings", n),
        )
    if unit.welfare is not None:
        rows.add(
            WelfareRow(
                code=unit.code,
                known_from=NOT_YET,
                consent_ref=unit.welfare.consent,
                away_until=unit.welfare.away_until,
                daytime_only=unit.welfare.daytime_only,
                withdrawn_at=unit.welfare.withdrawn_at,
            ),
            (*loc, "welfare"),
        )
    if unit.help_button is not None:
        rows.add(
            HelpServiceRow(
                code=unit.code,
                known_from=NOT_YET,
                consent_ref=unit.help_button.consent,
                withdrawn_at=unit.help_button.withdrawn_at,
            ),
            (*loc, "help_button"),
        )


def room_code(unit: str, name: str) -> str:
    """A room's code where the file gives none."""
    return f"{unit}:{name}"


def occupant_code(unit: str, lease: str | None, person: str) -> str:
    """An occupancy's code."""
    return f"{unit}/{lease or 'guest'}/{person}"


def _lease(lease: LeaseSeed, unit: UnitSeed, rows: SeedRows, loc: Loc) -> None:
    rows.add(
        LeaseRow(
            code=lease.code,
            known_from=NOT_YET,
            unit_code=unit.code,
            room_code=lease.room,
            lessor_code=lease.lessor,
            tenant_code=lease.tenant,
            start_on=lease.start,
            end_on=lease.end,
            ended_on=lease.ended_on,
            objected_on=lease.objected_on,
            renewal_talks_on=lease.renewal_talks_on,
            parent_lease_code=lease.parent,
            sublease_consent=lease.sublease_consent,
        ),
        loc,
    )
    for kind, filed_on, number in (
        ("contract", lease.contract_filed_on, lease.contract_no),
        ("termination", lease.termination_reported_on, ""),
    ):
        if filed_on is not None:
            rows.add(
                RegistrationRow(
                    code=f"{kind}/{lease.code}",
                    known_from=NOT_YET,
                    kind=kind,
                    unit_code=unit.code,
                    lease_code=lease.code,
                    number=number,
                    filed_on=filed_on,
                ),
                loc,
            )
    for n, occupant in enumerate(lease.occupants):
        _occupant(occupant, unit.code, lease, rows, (*loc, "occupants", n))


def _occupant(occupant: OccupantSeed, unit: str, lease: LeaseSeed | None, rows: SeedRows, loc: Loc) -> None:
    from_on = occupant.from_on or (lease.start if lease else None)
    if from_on is None:
        rows.faults.append(((*loc, "from"), "缺少起始日期 / when they came is needed"))
        return
    rows.add(
        OccupantRow(
            code=occupant_code(unit, lease.code if lease else None, occupant.person),
            known_from=NOT_YET,
            unit_code=unit,
            room_code=occupant.room or (lease.room if lease else None),
            lease_code=lease.code if lease else None,
            person_code=occupant.person,
            role=occupant.role if lease else "guest",
            from_on=from_on,
            to_on=occupant.to_on or (lease.ended_on if lease else None),
            guest_until=occupant.guest_until,
            family_group=occupant.family,
        ),
        loc,
    )
    if occupant.registered_on is not None:
        rows.add(
            RegistrationRow(
                code=f"residence/{unit}/{occupant.person}",
                known_from=NOT_YET,
                kind="residence",
                unit_code=unit,
                person_code=occupant.person,
                filed_on=occupant.registered_on,
            ),
            (*loc, "registered_on"),
        )


def _credential(held: CredentialSeed, unit: str, rows: SeedRows, loc: Loc) -> None:
    given = [name for name in ("card", "pin", "ref") if getattr(held, name) is not None]
    if len(given) != 1:
        rows.faults.append((loc, "card、pin、ref 三者给且只给一个 / give exactly one of card, pin, ref"))
        return
    ref, mask = held.ref or "", ""
    if held.card is not None:
        try:
            ref, mask = card_ref(rows.organisation_key, str(held.card))
        except ValueError as error:
            rows.faults.append(((*loc, "card"), str(error)))
            return
    elif held.pin is not None:
        ref = credential_ref(rows.organisation_key, "pin", str(held.pin))
    rows.add(
        CredentialRow(
            code=ref,
            known_from=NOT_YET,
            kind="pin" if held.pin is not None else "card",
            mask=mask,
            unit_code=unit,
            person_code=held.person,
            lease_code=held.lease,
            purpose=held.purpose,
            valid_from=_instant(held.valid_from, is_end=False),
            valid_to=_instant(held.valid_to, is_end=True),
            revoked_at=_instant(held.revoked_at, is_end=False),
        ),
        loc,
    )


def card_ref(organisation_key: bytes, printed: str) -> tuple[str, str]:
    """A card's reference, and what may be shown of its number. Raises ValueError."""
    canonical = canonical_card(printed)
    return credential_ref(organisation_key, "card", canonical), f"****{canonical[-4:]}" if len(
        canonical
    ) > 4 else "****"


def _instant(value: datetime | date | None, *, is_end: bool) -> datetime | None:
    """A day as the instant at which it begins, or ends."""
    if value is None or isinstance(value, datetime):
        return value
    return start_of(value + timedelta(days=1) if is_end else value)
