"""The registry: scopes, buildings, units, people, leases, registrations, credentials, bookings and where devices are.

Every row is one version of one thing. `code` names the thing and is what other rows refer to; `known_from` and
`known_to` say when this organisation held it for true (open end: still does), while fields such as `start_on` say when
it held in the world. A change closes a version and adds one, so that an alert can be judged by what was known then.
"""

from datetime import date, datetime

from sqlalchemy import Column, Index, Text, text
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class Versioned(SQLModel):
    """What every version has. `entered_by` is an actor as in the audit trail, or `load:FILE`."""

    code: str = Field(primary_key=True, max_length=128)
    known_from: datetime = Field(primary_key=True, sa_type=InstantMs)
    known_to: datetime | None = Field(default=None, sa_type=InstantMs)
    entered_by: str = Field(default="", max_length=128)


def _one_current(table: str) -> Index:
    return Index(
        f"uq_{table}_current",
        "code",
        unique=True,
        sqlite_where=text("known_to IS NULL"),
        postgresql_where=text("known_to IS NULL"),
    )


class ScopeRow(Versioned, table=True):
    """A node of the tree organisation > city > county > town > village > grid > estate (级: 市县乡村网格小区)."""

    __tablename__ = "reg_scope"
    __table_args__ = (_one_current("reg_scope"),)

    kind: str = Field(max_length=16)
    name: str = Field(max_length=128)
    parent_code: str | None = Field(default=None, max_length=128, index=True)


class BuildingRow(Versioned, table=True):
    """A building (楼栋). `jurisdiction` is the six-digit region code; `land_type` state, collective or unknown."""

    __tablename__ = "reg_building"
    __table_args__ = (_one_current("reg_building"),)

    name: str = Field(max_length=128)
    scope_code: str | None = Field(default=None, max_length=128, index=True)
    jurisdiction: str = Field(default="", max_length=6)
    land_type: str = Field(default="unknown", max_length=16)
    has_manager: bool | None = None
    keeps_register: bool | None = None


class UnitRow(Versioned, table=True):
    """What is let as one (套/房). `counting_opt_out`: the household does not want its heads counted (P15)."""

    __tablename__ = "reg_unit"
    __table_args__ = (_one_current("reg_unit"),)

    building_code: str = Field(max_length=128, index=True)
    entrance: str = Field(default="", max_length=32)
    floor: int | None = None
    door: str = Field(default="", max_length=32)
    let_as: str = Field(default="whole", max_length=16)  # whole 整租, rooms 合租/分租
    is_vacant: bool = False
    counting_opt_out: bool = False
    owner_code: str | None = Field(default=None, max_length=128)
    grid_worker: str = Field(default="", max_length=64)


class RoomRow(Versioned, table=True):
    """A room (间). `area_basis` says which area was measured: usable 使用, habitable 居住, gross 建筑."""

    __tablename__ = "reg_room"
    __table_args__ = (_one_current("reg_room"),)

    unit_code: str = Field(max_length=128, index=True)
    name: str = Field(default="", max_length=32)
    room_type: str = Field(default="bedroom", max_length=24)
    area_m2: float | None = None
    area_basis: str = Field(default="unknown", max_length=16)


class PersonRow(Versioned, table=True):
    """Somebody. Name, phone and document number are sealed; the masks are the only forms that leave by default.

    `born_on` is kept only while it shows a minor, because the caps and the check at lease entry need it.
    """

    __tablename__ = "reg_person"
    __table_args__ = (_one_current("reg_person"),)

    name_sealed: str | None = Field(default=None, sa_type=Text)
    name_index: str | None = Field(default=None, max_length=64, index=True)
    name_mask: str = Field(default="", max_length=64)
    phone_sealed: str | None = Field(default=None, sa_type=Text)
    phone_index: str | None = Field(default=None, max_length=64, index=True)
    phone_mask: str = Field(default="", max_length=32)
    document_type: str = Field(default="", max_length=32)
    document_sealed: str | None = Field(default=None, sa_type=Text)
    document_index: str | None = Field(default=None, max_length=64, index=True)
    document_mask: str = Field(default="", max_length=32)
    document_valid: bool | None = None
    identity_verified_on: date | None = None
    identity_verified_by: str = Field(default="", max_length=64)
    hukou_region: str = Field(default="", max_length=6)
    born_on: date | None = None


class LeaseRow(Versioned, table=True):
    """A tenancy (租赁合同). `end_on` empty: indefinite (不定期). `ended_on`: when it really ended."""

    __tablename__ = "reg_lease"
    __table_args__ = (_one_current("reg_lease"),)

    unit_code: str = Field(max_length=128, index=True)
    room_code: str | None = Field(default=None, max_length=128)
    lessor_code: str | None = Field(default=None, max_length=128)
    tenant_code: str | None = Field(default=None, max_length=128, index=True)
    start_on: date
    end_on: date | None = None
    ended_on: date | None = None
    objected_on: date | None = None
    renewal_talks_on: date | None = None
    parent_lease_code: str | None = Field(default=None, max_length=128)
    sublease_consent: bool | None = None


class OccupantRow(Versioned, table=True):
    """That somebody lives, or stays as a guest, in a unit. A guest needs no registration before `guest_until`."""

    __tablename__ = "reg_occupant"
    __table_args__ = (_one_current("reg_occupant"),)

    unit_code: str = Field(max_length=128, index=True)
    room_code: str | None = Field(default=None, max_length=128)
    lease_code: str | None = Field(default=None, max_length=128)
    person_code: str = Field(max_length=128, index=True)
    role: str = Field(default="tenant", max_length=16)  # tenant, co_occupant, guest
    from_on: date
    to_on: date | None = None
    guest_until: date | None = None
    family_group: str = Field(default="", max_length=64)


class RegistrationRow(Versioned, table=True):
    """One filing with an authority.

    `residence` (居住登记: occupant and police), `house` (居住房屋出租登记: unit and police), `contract` (租赁备案:
    lease and housing department), `termination` (退租报告: lease and police).
    """

    __tablename__ = "reg_registration"
    __table_args__ = (_one_current("reg_registration"),)

    kind: str = Field(max_length=16)
    unit_code: str = Field(max_length=128, index=True)
    person_code: str | None = Field(default=None, max_length=128)
    lease_code: str | None = Field(default=None, max_length=128)
    status: str = Field(default="filed", max_length=16)  # filed, exempt
    number: str = Field(default="", max_length=64)
    filed_on: date
    source: str = Field(default="", max_length=64)
    verified_by: str = Field(default="", max_length=64)


class CredentialRow(Versioned, table=True):
    """What opens a lock. `code` is the keyed hash that gateways send; the number itself is nowhere."""

    __tablename__ = "reg_credential"
    __table_args__ = (_one_current("reg_credential"),)

    kind: str = Field(default="card", max_length=16)
    mask: str = Field(default="", max_length=32)
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    person_code: str | None = Field(default=None, max_length=128)
    lease_code: str | None = Field(default=None, max_length=128)
    purpose: str = Field(default="resident", max_length=16)  # resident, temporary, staff, master
    valid_from: datetime | None = Field(default=None, sa_type=InstantMs)
    valid_to: datetime | None = Field(default=None, sa_type=InstantMs)
    revoked_at: datetime | None = Field(default=None, sa_type=InstantMs)


class BookingRow(Versioned, table=True):
    """A time for which opening a unit was agreed: viewing, repair, cleaning."""

    __tablename__ = "reg_booking"
    __table_args__ = (_one_current("reg_booking"),)

    unit_code: str = Field(max_length=128, index=True)
    purpose: str = Field(max_length=16)
    from_at: datetime = Field(sa_type=InstantMs)
    to_at: datetime = Field(sa_type=InstantMs)
    reason: str = Field(default="", max_length=256)


class WelfareRow(Versioned, table=True):
    """That a person asked to be looked after (独居长者); `code` is the unit's. Withdrawn at once by `withdrawn_at`."""

    __tablename__ = "reg_welfare"
    __table_args__ = (_one_current("reg_welfare"),)

    consent_ref: str = Field(max_length=128)
    away_until: datetime | None = Field(default=None, sa_type=InstantMs)
    daytime_only: bool = False
    withdrawn_at: datetime | None = Field(default=None, sa_type=InstantMs)


class HelpServiceRow(Versioned, table=True):
    """That a household has a help button, by a consent of its own; `code` is the unit's. Ends by `withdrawn_at`."""

    __tablename__ = "reg_help_service"
    __table_args__ = (_one_current("reg_help_service"),)

    consent_ref: str = Field(max_length=128)
    withdrawn_at: datetime | None = Field(default=None, sa_type=InstantMs)


class DevicePlacementRow(Versioned, table=True):
    """Where a device is; `code` is `gateway/device`. `counts` says whose heads a counter counts: unit or building."""

    __tablename__ = "reg_device"
    __table_args__ = (_one_current("reg_device"),)

    gateway_id: str = Field(max_length=64, index=True)
    device: str = Field(max_length=128)
    kind: str = Field(max_length=16)  # lock, smoke, camera, contact, reader, help, other
    building_code: str | None = Field(default=None, max_length=128, index=True)
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    room_code: str | None = Field(default=None, max_length=128)
    placement: str = Field(default="unit_door", max_length=24)
    name: str = Field(default="", max_length=64)
    heartbeat_s: int | None = None
    made_on: date | None = None
    installed_on: date | None = None
    miss_rate: float | None = None
    double_rate: float | None = None


class GatewayPlacementRow(Versioned, table=True):
    """In which building a gateway stands; `code` is the gateway's identity."""

    __tablename__ = "reg_gateway"
    __table_args__ = (_one_current("reg_gateway"),)

    building_code: str = Field(max_length=128, index=True)


class RegistryRevision(SQLModel, table=True):
    """One change of the registry: what caches and replays follow. `units` lists the codes touched, or `*` for all."""

    __tablename__ = "reg_revision"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_type=InstantMs, index=True)
    entered_by: str = Field(max_length=128)
    units: str = Field(default="*", sa_column=Column(Text, nullable=False))
