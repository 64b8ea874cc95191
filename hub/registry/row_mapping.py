"""Rows of the registry as the plain values that rules take. Pure."""

from collections.abc import Mapping

from hub.domain.entities import (
    Building,
    Credential,
    Device,
    HelpService,
    Lease,
    Occupant,
    Person,
    Registration,
    Room,
    Welfare,
)
from hub.store.tables.registry import (
    BuildingRow,
    CredentialRow,
    DevicePlacementRow,
    HelpServiceRow,
    LeaseRow,
    OccupantRow,
    PersonRow,
    RegistrationRow,
    RoomRow,
    WelfareRow,
)


def building(row: BuildingRow) -> Building:
    """A building."""
    return Building(
        row.code, row.name, row.scope_code, row.jurisdiction, row.land_type, row.has_manager, row.keeps_register
    )


def person(row: PersonRow) -> Person:
    """A person, without a name."""
    return Person(
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


def room(row: RoomRow) -> Room:
    """A room."""
    return Room(row.code, row.name, row.room_type, row.area_m2, row.area_basis)


def lease(row: LeaseRow) -> Lease:
    """A lease."""
    return Lease(
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


def occupant(row: OccupantRow, persons: Mapping[str, Person]) -> Occupant:
    """Somebody who lives in a unit; `persons` by code."""
    return Occupant(
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


def registration(row: RegistrationRow) -> Registration:
    """A filing."""
    return Registration(row.kind, row.person_code, row.lease_code, row.status, row.filed_on)


def credential(row: CredentialRow) -> Credential:
    """A credential."""
    return Credential(
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


def welfare(row: WelfareRow) -> Welfare:
    """What a household agreed to."""
    return Welfare(row.away_until, row.daytime_only, row.withdrawn_at)


def help_service(row: HelpServiceRow) -> HelpService:
    """That a household has a help button."""
    return HelpService(row.withdrawn_at)


def device(row: DevicePlacementRow) -> Device:
    """A device and its place."""
    return Device(
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
