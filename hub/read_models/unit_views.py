"""The registry as the API shows it: people as masks (张*, 138****1234, last four), never more (P4)."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.domain.text import Text


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class PersonView(_View):
    """Somebody, masked. `code` asks for more, with a reason and an audit entry; of the forgotten there is no more."""

    code: str
    name: str
    phone: str
    document_type: str
    document: str
    is_verified: bool
    is_forgotten: bool


class OccupantView(_View):
    """Somebody who lives or stays here. `register_by`: when the clock for the residence registration ends."""

    code: str
    person: PersonView
    role: str
    room: str | None
    from_on: date
    to_on: date | None
    guest_until: date | None
    is_current: bool
    residence_registered_on: date | None
    register_by: date | None
    entered_at: datetime


class LeaseView(_View):
    """A tenancy. `state` at the time of asking: upcoming, running, expired (not ended in the registry), ended."""

    code: str
    room: str | None
    lessor: PersonView | None
    tenant: PersonView | None
    start_on: date
    end_on: date | None
    ended_on: date | None
    state: Literal["upcoming", "running", "expired", "ended"]
    contract_filed_on: date | None
    entered_at: datetime


class CredentialView(_View):
    """What opens the door; `mask` is all that is known of its number."""

    kind: str
    mask: str
    person: PersonView | None
    purpose: str
    valid_from: datetime | None
    valid_to: datetime | None
    is_revoked: bool
    last_used_at: datetime | None


class DeviceView(_View):
    """A device, and what it last said."""

    gateway: str
    device: str
    kind: str
    placement: str
    name: str
    room: str | None
    last_seen_at: datetime | None
    battery_pct: float | None
    alarm: bool
    is_online: bool | None


class NightView(_View):
    """How many people are believed to have been inside in one night, and how sure that is."""

    night: date
    mean: float
    lower: int
    upper: int
    coverage: float
    abstained: str


class RoomView(_View):
    """A room; `area_basis` says how it was measured."""

    code: str
    name: str
    room_type: str
    area_m2: float | None
    area_basis: str


class VerdictView(_View):
    """A rule that could not be judged here, and why."""

    rule: str
    reason: Text
    at: datetime


class UnitSummary(_View):
    """One line of a list of units. `is_disputed`: the household contests an alert, or a party objected to the lease."""

    code: str
    building: str
    entrance: str
    door: str
    floor: int | None
    state: Literal["vacant", "let", "expiring", "expired", "no_lease"]
    is_disputed: bool
    occupants: int
    open_alerts: int
    worst: str | None
    believed: NightView | None


class UnitView(_View):
    """One unit with what the registry and the devices say of it."""

    code: str
    building: str
    building_name: str
    entrance: str
    floor: int | None
    door: str
    let_as: str
    land_type: str
    jurisdiction: str
    state: Literal["vacant", "let", "expiring", "expired", "no_lease"]
    is_disputed: bool
    counting_opt_out: bool
    capacity: int | None
    capacity_note: Text | None
    registered_count: int
    completeness: float
    missing: tuple[str, ...]
    rooms: tuple[RoomView, ...]
    leases: tuple[LeaseView, ...]
    occupants: tuple[OccupantView, ...]
    credentials: tuple[CredentialView, ...]
    devices: tuple[DeviceView, ...]
    nights: tuple[NightView, ...]
    not_evaluated: tuple[VerdictView, ...]


class TimelineEntry(_View):
    """One thing that happened at a unit. `event_id` or `alert_id` opens it. Doors carry no person's name."""

    at: datetime
    kind: Literal["event", "alert", "action", "record"]
    what: str
    note: Text
    event_id: int | None = None
    alert_id: int | None = None


class BuildingView(_View):
    """A building and how many units and alerts it has."""

    code: str
    name: str
    scope: str | None
    jurisdiction: str
    land_type: str
    units: int
    open_alerts: int
