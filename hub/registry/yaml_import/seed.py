"""The seed format: a registry as YAML that people write. Unknown keys are errors."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z\u4e00-\u9fff._:#-]{0,127}$")]
Label = Annotated[str, Field(min_length=1, max_length=128)]
GatewayId = Annotated[str, Field(pattern=r"^[a-z0-9-]{3,64}$")]
Region = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Digits = str | int


class Part(BaseModel):
    """A table of the file. A typo is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopeSeed(Part):
    """A node of the scope tree."""

    code: Code
    kind: Literal["organisation", "city", "county", "town", "village", "grid", "estate"]
    name: Label
    parent: Code | None = None


class DocumentSeed(Part):
    """An identity document."""

    type: str = "id_card"
    number: Digits


class PersonSeed(Part):
    """Somebody, under a code of the file's choice."""

    code: Code
    name: Label
    phone: Digits | None = None
    document: DocumentSeed | None = None
    hukou: Region | None = None
    born: date | None = None
    verified_on: date | None = None
    verified_by: str = ""


class RoomSeed(Part):
    """A room of a unit."""

    code: Code | None = None
    name: Label
    type: Literal[
        "bedroom", "living_room", "studio", "dormitory", "kitchen", "bathroom", "balcony", "corridor", "basement",
        "garage",
    ] = "bedroom"  # fmt: skip
    area_m2: Annotated[float, Field(gt=0, le=2000)] | None = None
    basis: Literal["usable", "habitable", "gross", "unknown"] = "unknown"


class DeviceSeed(Part):
    """A device, as its gateway names it."""

    gateway: GatewayId
    device: Annotated[str, Field(min_length=1, max_length=128)]
    kind: Literal["lock", "reader", "smoke", "camera", "contact", "siren", "panel", "help", "other"]
    placement: Literal[
        "unit_door", "building_entrance", "corridor", "room", "exit_door", "common", "gateway"
    ] = "unit_door"  # fmt: skip
    name: str = ""
    room: Code | None = None
    heartbeat_s: Annotated[int, Field(gt=0, le=604_800)] | None = None
    made_on: date | None = None
    installed_on: date | None = None
    miss_rate: Annotated[float, Field(ge=0, le=0.9)] | None = None
    double_rate: Annotated[float, Field(ge=0, le=0.9)] | None = None


class OccupantSeed(Part):
    """Somebody who lives or stays in the unit."""

    person: Code
    role: Literal["tenant", "co_occupant", "guest"] = "co_occupant"
    room: Code | None = None
    from_on: Annotated[date | None, Field(alias="from")] = None
    to_on: Annotated[date | None, Field(alias="to")] = None
    guest_until: date | None = None
    family: str = ""
    registered_on: date | None = None


class LeaseSeed(Part):
    """A tenancy with those who live here under it. Without `end`: indefinite."""

    code: Code
    start: date
    end: date | None = None
    ended_on: date | None = None
    tenant: Code
    lessor: Code | None = None
    room: Code | None = None
    parent: Code | None = None
    sublease_consent: bool | None = None
    renewal_talks_on: date | None = None
    objected_on: date | None = None
    contract_no: str = ""
    contract_filed_on: date | None = None
    termination_reported_on: date | None = None
    occupants: list[OccupantSeed] = []


class CredentialSeed(Part):
    """What opens the unit's lock: a card's number (kept as a keyed hash), or a reference that a gateway sends."""

    card: Digits | None = None
    pin: Digits | None = None
    ref: Annotated[str, Field(pattern=r"^hmac:\S{4,128}$")] | None = None
    person: Code | None = None
    lease: Code | None = None
    purpose: Literal["resident", "temporary", "staff", "master"] = "resident"
    valid_from: AwareDatetime | date | None = None
    valid_to: AwareDatetime | date | None = None
    revoked_at: AwareDatetime | date | None = None


class BookingSeed(Part):
    """A time for which opening was agreed."""

    purpose: Literal["viewing", "repair", "cleaning", "inspection", "other"]
    start: Annotated[AwareDatetime, Field(alias="from")]
    end: Annotated[AwareDatetime, Field(alias="to")]
    reason: str = ""


class WelfareSeed(Part):
    """That somebody asked to be looked after; `consent` names the signed paper."""

    consent: Label
    daytime_only: bool = False
    away_until: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None


class HelpSeed(Part):
    """That somebody wants a help button; `consent` names the signed paper, which is another than that of `welfare`."""

    consent: Label
    withdrawn_at: AwareDatetime | None = None


class UnitSeed(Part):
    """A unit, and everything in it."""

    code: Code
    building: Code
    entrance: str = ""
    floor: int | None = None
    door: str = ""
    let_as: Literal["whole", "rooms"] = "whole"
    vacant: bool = False
    counting_opt_out: bool = False
    owner: Code | None = None
    grid_worker: str = ""
    house_registered_on: date | None = None
    house_registration_no: str = ""
    rooms: list[RoomSeed] = []
    leases: list[LeaseSeed] = []
    guests: list[OccupantSeed] = []
    credentials: list[CredentialSeed] = []
    devices: list[DeviceSeed] = []
    bookings: list[BookingSeed] = []
    welfare: WelfareSeed | None = None
    help_button: HelpSeed | None = None


class BuildingSeed(Part):
    """A building with its gateways and the devices of its common parts."""

    code: Code
    name: Label
    scope: Code | None = None
    jurisdiction: Region | None = None
    land_type: Literal["state", "collective", "unknown"] = "unknown"
    has_manager: bool | None = None
    keeps_register: bool | None = None
    gateways: list[GatewayId] = []
    devices: list[DeviceSeed] = []


class Seed(Part):
    """A whole file."""

    registry: Literal[1]
    scopes: list[ScopeSeed] = []
    buildings: list[BuildingSeed] = []
    people: list[PersonSeed] = []
    units: list[UnitSeed] = []
