"""What is kept by hand beside a tenancy: guests, bookings, filings with authorities, and that heads are not counted."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlmodel import Session

from hub.domain.local_time import local_day
from hub.domain.stored_event import Change
from hub.errors import NotFoundError, RegistryError
from hub.registry.changeset import current
from hub.registry.personal_data.person_record import PersonWords, person_row
from hub.registry.personal_data.vault import Vault
from hub.registry.sheets.known import known_people
from hub.registry.snapshot import read_rows
from hub.registry.tenancy import changed, unit_row, write
from hub.registry.yaml_import.seed_rows import NOT_YET, occupant_code
from hub.store.tables.registry import BookingRow, LeaseRow, OccupantRow, RegistrationRow

FilingKind = Literal["residence", "house", "contract", "termination"]


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who stays for a while; no registration is asked for before `until` (浙江 Art. 12)."""

    unit: str
    name: str
    start: date
    until: date
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A time for which opening a unit was agreed."""

    unit: str
    purpose: str
    begin: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Filing:
    """One filing with an authority: of a person (`residence`), the unit (`house`) or a lease (the other two)."""

    unit: str
    kind: FilingKind
    filed_on: date
    number: str = ""
    person: str | None = None
    lease: str | None = None
    is_exempt: bool = False


def add_guest(session: Session, guest: Guest, *, vault: Vault, now: datetime, by: str) -> list[Change]:
    """Enter a guest. Raises NotFoundError, RegistryError that names the field."""
    unit_row(session, guest.unit)
    code = known_people(session).code(vault, guest.name, guest.phone, "", guest.unit)
    try:
        person = person_row(PersonWords(code, guest.name, guest.phone or None), vault, local_day(now))
    except ValueError as error:
        raise RegistryError(f"guest: {error}") from error
    stay = OccupantRow(
        code=occupant_code(guest.unit, None, code),
        known_from=NOT_YET,
        unit_code=guest.unit,
        person_code=code,
        role="guest",
        from_on=guest.start,
        guest_until=guest.until,
    )
    return write(session, [person, stay], now, by)


def add_booking(session: Session, visit: Visit, *, now: datetime, by: str) -> list[Change]:
    """Enter a booking. Raises NotFoundError, RegistryError."""
    unit_row(session, visit.unit)
    row = BookingRow(
        code=f"{visit.unit}/{visit.purpose}/{visit.begin.isoformat()}",
        known_from=NOT_YET,
        unit_code=visit.unit,
        purpose=visit.purpose,
        from_at=visit.begin,
        to_at=visit.end,
        reason=visit.reason,
    )
    return write(session, [row], now, by)


def add_filing(session: Session, filing: Filing, *, now: datetime, by: str) -> list[Change]:
    """Note that something was filed, by whom it was seen, and when. Raises NotFoundError, RegistryError."""
    unit_row(session, filing.unit)
    if filing.filed_on > local_day(now):
        raise RegistryError(f"filed_on: 不能晚于今天 / {filing.filed_on} is in the future")
    about = filing.unit
    if filing.kind == "residence":
        people = read_rows(session, OccupantRow, None, OccupantRow.unit_code, [filing.unit])
        if filing.person is None or filing.person not in {occupant.person_code for occupant in people}:
            raise RegistryError(
                f"person: 请选择在住的人 / a residence is somebody's who lives in {filing.unit}; give their code"
            )
        about = f"{filing.unit}/{filing.person}"
    elif filing.kind != "house":
        lease = current(session, LeaseRow, [filing.lease or ""]).get(filing.lease or "")
        if not isinstance(lease, LeaseRow) or lease.unit_code != filing.unit:
            raise RegistryError(f"lease: 请选择这套房屋的租约 / {filing.unit} has none of the code {filing.lease!r}")
        about = lease.code
    row = RegistrationRow(
        code=f"{filing.kind}/{about}",
        known_from=NOT_YET,
        kind=filing.kind,
        unit_code=filing.unit,
        person_code=filing.person if filing.kind == "residence" else None,
        lease_code=filing.lease if filing.kind in {"contract", "termination"} else None,
        status="exempt" if filing.is_exempt else "filed",
        number=filing.number,
        filed_on=filing.filed_on,
        source="hand",
        verified_by=by[:64],
    )
    return write(session, [row], now, by)


def set_counting(session: Session, unit: str, *, opted_out: bool, now: datetime, by: str) -> list[Change]:
    """Whether this household's heads are counted (P15). Opting out also forgets what was believed of it."""
    return write(session, [changed(unit_row(session, unit), counting_opt_out=opted_out)], now, by)


def leave_early(session: Session, unit: str, occupant: str, *, on: date, now: datetime, by: str) -> list[Change]:
    """Somebody of several has left, or a guest has: the lease goes on. Raises NotFoundError, RegistryError."""
    row = current(session, OccupantRow, [occupant]).get(occupant)
    if not isinstance(row, OccupantRow) or row.unit_code != unit:
        raise NotFoundError(f"本户没有此居住人 / occupant {occupant}: unit {unit} has none of that code")
    return write(session, [changed(row, to_on=on)], now, by)
