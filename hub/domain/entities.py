"""What the registry knows of a house, as plain values: what rules and explanations are given.

People appear by code and mask. Every record carries `entered_at`, the instant from which it was known.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody. `born_on` is kept for minors only."""

    code: str
    mask: str
    has_name: bool
    document_type: str
    has_document: bool
    document_valid: bool | None
    hukou_region: str
    born_on: date | None
    is_verified: bool

    def age_on(self, day: date) -> int | None:
        """Full years on a day; None for those whose birth date is not kept, who are of age."""
        if self.born_on is None:
            return None
        had_birthday = (day.month, day.day) >= (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - (0 if had_birthday else 1)


@dataclass(frozen=True, slots=True)
class Room:
    """A room; `area_basis` says which area was measured."""

    code: str
    name: str
    room_type: str
    area_m2: float | None
    area_basis: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A tenancy as written; `ended_on` is when it really ended."""

    code: str
    room_code: str | None
    tenant_code: str | None
    lessor_code: str | None
    start_on: date
    end_on: date | None
    ended_on: date | None
    objected_on: date | None
    renewal_talks_on: date | None
    parent_lease_code: str | None
    sublease_consent: bool | None
    entered_at: datetime

    def runs_on(self, day: date) -> bool:
        """Whether it has begun and neither its term nor the tenancy has ended."""
        return (
            self.start_on <= day
            and (self.end_on is None or day <= self.end_on)
            and (self.ended_on is None or day < self.ended_on)
        )

    def is_expired_on(self, day: date) -> bool:
        """Whether its term is over although nobody entered that the tenancy ended."""
        return self.end_on is not None and self.end_on < day and self.ended_on is None


@dataclass(frozen=True, slots=True)
class Occupant:
    """That a person lives or stays here."""

    code: str
    person: Person
    room_code: str | None
    lease_code: str | None
    role: str
    from_on: date
    to_on: date | None
    guest_until: date | None
    family_group: str
    entered_at: datetime

    def is_here_on(self, day: date) -> bool:
        """Whether the registry has the person living or staying here that day."""
        ends = (self.to_on, self.guest_until if self.role == "guest" else None)
        return self.from_on <= day and all(end is None or day <= end for end in ends)


@dataclass(frozen=True, slots=True)
class Registration:
    """One filing."""

    kind: str
    person_code: str | None
    lease_code: str | None
    status: str
    filed_on: date


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens a lock, and to whom it was given."""

    ref: str
    kind: str
    mask: str
    unit_code: str | None
    person_code: str | None
    lease_code: str | None
    purpose: str
    valid_from: datetime | None
    valid_to: datetime | None
    revoked_at: datetime | None
    entered_at: datetime

    @property
    def is_of_management(self) -> bool:
        """Whether it opens more than its holder's own home."""
        return self.purpose in {"staff", "master"}

    def is_invalid_at(self, at: datetime) -> bool:
        """Whether it was revoked or had expired."""
        return (self.revoked_at is not None and self.revoked_at <= at) or (
            self.valid_to is not None and self.valid_to < at
        )


@dataclass(frozen=True, slots=True)
class Booking:
    """A time for which opening was agreed."""

    purpose: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class Welfare:
    """That somebody asked to be looked after."""

    away_until: datetime | None
    daytime_only: bool
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class HelpService:
    """That a household has a help button."""

    withdrawn_at: datetime | None

    def holds_at(self, at: datetime) -> bool:
        """Whether its consent holds then."""
        return self.withdrawn_at is None or at < self.withdrawn_at


@dataclass(frozen=True, slots=True)
class Device:
    """Where a device is."""

    gateway: str
    device: str
    kind: str
    placement: str
    building_code: str | None
    unit_code: str | None
    room_code: str | None
    heartbeat_s: int | None
    made_on: date | None
    installed_on: date | None
    miss_rate: float | None
    double_rate: float | None
    entered_at: datetime

    @property
    def key(self) -> str:
        """`gateway/device`, unique in the organisation."""
        return f"{self.gateway}/{self.device}"


LandType = Literal["state", "collective", "unknown"]


@dataclass(frozen=True, slots=True)
class Building:
    """A building, and which law it lies under."""

    code: str
    name: str
    scope_code: str | None
    jurisdiction: str
    land_type: str
    has_manager: bool | None
    keeps_register: bool | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit with all that the registry holds of it."""

    code: str
    building: Building
    entrance: str
    floor: int | None
    door: str
    let_as: str
    is_vacant: bool
    counting_opt_out: bool
    grid_worker: str
    rooms: tuple[Room, ...] = ()
    leases: tuple[Lease, ...] = ()
    occupants: tuple[Occupant, ...] = ()
    registrations: tuple[Registration, ...] = ()
    credentials: tuple[Credential, ...] = ()
    bookings: tuple[Booking, ...] = ()
    devices: tuple[Device, ...] = ()
    welfare: Welfare | None = None
    help_button: HelpService | None = None

    def people_on(self, day: date) -> tuple[Occupant, ...]:
        """Those whom the registry has here that day, each person once."""
        seen: dict[str, Occupant] = {}
        for occupant in self.occupants:
            if occupant.is_here_on(day):
                seen.setdefault(occupant.person.code, occupant)
        return tuple(seen.values())

    def is_let_on(self, day: date) -> bool:
        """Whether a lease runs, or one ran out without the tenancy having ended (民法典 734)."""
        return any(lease.runs_on(day) or lease.is_expired_on(day) for lease in self.leases)

    def has_objection_on(self, day: date) -> bool:
        """Whether a party objected to a tenancy that has not ended (民法典 734)."""
        return any(
            lease.objected_on is not None
            and lease.objected_on <= day
            and (lease.ended_on is None or day < lease.ended_on)
            for lease in self.leases
        )

    def has_booking_at(self, at: datetime, slack: timedelta = timedelta(0)) -> bool:
        """Whether somebody was expected to open at that instant."""
        return any(booking.from_at - slack <= at <= booking.to_at + slack for booking in self.bookings)

    def state_on(self, day: date, soon: timedelta) -> Literal["vacant", "let", "expiring", "expired", "no_lease"]:
        """The unit's state for its page: a lease that ends within `soon` is expiring."""
        running = [lease for lease in self.leases if lease.runs_on(day)]
        if running:
            last = max((lease.end_on or date.max for lease in running), default=date.max)
            return "expiring" if last - day <= soon else "let"
        if any(lease.is_expired_on(day) for lease in self.leases):
            return "expired"
        if self.is_vacant or not self.people_on(day):
            return "vacant"
        return "no_lease"


def record_ref(kind: str, code: str, entered_at: datetime) -> str:
    """How evidence names one version of a record."""
    return f"{kind}:{code}@{entered_at.isoformat(timespec='milliseconds')}"
