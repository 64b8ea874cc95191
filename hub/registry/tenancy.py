"""Check-in and check-out: a tenancy kept by hand, each as one short form."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from hub.domain.local_time import local_day, start_of
from hub.domain.stored_event import Change
from hub.errors import NotFoundError, RegistryError
from hub.registry.changeset import Wanted, Where, apply, columns_of, current, keep_known, plan
from hub.registry.checks import faults_of
from hub.registry.personal_data.identity import clean_document
from hub.registry.personal_data.person_record import PersonWords, person_row
from hub.registry.personal_data.vault import Vault
from hub.registry.sheets.known import known_people
from hub.registry.snapshot import read_rows
from hub.registry.yaml_import.seed_rows import NOT_YET, card_ref, occupant_code
from hub.store.tables.registry import CredentialRow, LeaseRow, OccupantRow, RegistrationRow, UnitRow, Versioned


@dataclass(frozen=True, slots=True)
class NewResident:
    """Somebody who moves in."""

    name: str
    phone: str = ""
    document_type: str = "id_card"
    document: str = ""
    hukou: str = ""
    role: str = "tenant"
    family: bool = False
    registered_on: date | None = None
    card: str = ""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """The form: who moves into which unit (or one room of it), from when until when (None: indefinite).

    The first resident is the tenant of the contract.
    """

    unit: str
    start: date
    end: date | None
    residents: tuple[NewResident, ...]
    room: str | None = None


@dataclass(frozen=True, slots=True)
class CheckOut:
    """The form: whose tenancy ended when; `reported_on`: when that was reported to the police, if it was."""

    unit: str
    lease: str
    ended_on: date
    reported_on: date | None = None


def check_in(
    session: Session, form: CheckIn, *, vault: Vault, organisation_key: bytes, now: datetime, by: str
) -> list[Change]:
    """Enter a tenancy. Raises NotFoundError for an unknown unit, RegistryError that names the field."""
    unit = unit_row(session, form.unit)
    if not form.residents:
        raise RegistryError("residents: 至少填写一位居住人 / at least one is needed")
    # As the import names them, so that a later file finds what was entered by hand.
    room = "" if form.room is None else f"/{form.room.removeprefix(form.unit + ':')}"
    lease = f"{form.unit}{room}@{form.start}"
    if lease in current(session, LeaseRow, [lease]):
        raise RegistryError(
            f"start: 台账中已有 {form.start} 起的租约 / a lease of {form.unit} from {form.start} is there already"
        )
    known = known_people(session)
    rows: list[Versioned] = []
    first = ""
    for number, resident in enumerate(form.residents):
        place = f"residents[{number}]"
        try:
            document = (
                clean_document(resident.document_type, resident.document, local_day(now)) if resident.document else None
            )
            code = known.code(vault, resident.name, resident.phone, document.number if document else "", form.unit)
            words = PersonWords(code, resident.name, resident.phone or None, document, resident.hukou)
            rows.append(person_row(words, vault, local_day(now)))
            if resident.card:
                ref, mask = card_ref(organisation_key, resident.card)
                rows.append(
                    CredentialRow(
                        code=ref,
                        known_from=NOT_YET,
                        mask=mask,
                        unit_code=form.unit,
                        person_code=code,
                        lease_code=lease,
                        valid_from=start_of(form.start),
                    )
                )
        except ValueError as error:
            raise RegistryError(f"{place}: {error}") from error
        first = first or code
        rows += _resident(form, lease, code, resident)
    rows.append(
        LeaseRow(
            code=lease,
            known_from=NOT_YET,
            unit_code=form.unit,
            room_code=form.room,
            lessor_code=unit.owner_code,
            tenant_code=first,
            start_on=form.start,
            end_on=form.end,
        )
    )
    if unit.is_vacant:
        rows.append(changed(unit, is_vacant=False))
    return write(session, rows, now, by)


def _resident(form: CheckIn, lease: str, code: str, resident: NewResident) -> list[Versioned]:
    rows: list[Versioned] = [
        OccupantRow(
            code=occupant_code(form.unit, lease, code),
            known_from=NOT_YET,
            unit_code=form.unit,
            room_code=form.room,
            lease_code=lease,
            person_code=code,
            role=resident.role,
            from_on=form.start,
            guest_until=form.end if resident.role == "guest" else None,
            family_group=lease if resident.family else "",
        )
    ]
    if resident.registered_on is not None:
        rows.append(
            RegistrationRow(
                code=f"residence/{form.unit}/{code}",
                known_from=NOT_YET,
                kind="residence",
                unit_code=form.unit,
                person_code=code,
                filed_on=resident.registered_on,
            )
        )
    return rows


def check_out(session: Session, form: CheckOut, *, now: datetime, by: str) -> list[Change]:
    """End a tenancy: its people have left, its credentials end with that day. Nothing is revoked at any lock.

    Raises NotFoundError, RegistryError.
    """
    unit = unit_row(session, form.unit)
    lease = current(session, LeaseRow, [form.lease]).get(form.lease)
    if not isinstance(lease, LeaseRow) or lease.unit_code != form.unit:
        raise NotFoundError(f"lease: 本户没有此租约 / {form.lease}: unit {form.unit} has none of that code")
    if form.ended_on > local_day(now):
        raise RegistryError(f"ended_on: 不能晚于今天 / {form.ended_on} is still to come; check them out on the day")
    if lease.ended_on is not None:
        raise RegistryError(f"lease: 已于 {lease.ended_on} 终止 / ended on {lease.ended_on} already")
    rows: list[Versioned] = [changed(lease, ended_on=form.ended_on)]
    people = read_rows(session, OccupantRow, None, OccupantRow.unit_code, [form.unit])
    leaving = [o for o in people if o.lease_code == form.lease and (o.to_on is None or o.to_on > form.ended_on)]
    rows += [changed(occupant, to_on=max(form.ended_on, occupant.from_on)) for occupant in leaving]
    # With the end of their last day: they carry their things out on it.
    last = start_of(form.ended_on + timedelta(days=1))
    for held in read_rows(session, CredentialRow, None, CredentialRow.unit_code, [form.unit]):
        if held.lease_code == form.lease and (held.valid_to is None or held.valid_to > last):
            rows.append(changed(held, valid_to=last if held.valid_from is None else max(last, held.valid_from)))
    if form.reported_on is not None:
        rows.append(
            RegistrationRow(
                code=f"termination/{form.lease}",
                known_from=NOT_YET,
                kind="termination",
                unit_code=form.unit,
                lease_code=form.lease,
                filed_on=form.reported_on,
            )
        )
    stay = [o for o in people if o not in leaving and (o.to_on is None or o.to_on > form.ended_on)]
    if not stay:
        rows.append(changed(unit, is_vacant=True))
    return write(session, rows, now, by)


def changed(row: Versioned, **values: object) -> Versioned:
    """A next version of a record, with these values changed."""
    table = type(row)
    plain = {name: getattr(row, name) for name in columns_of(table)} | values
    return table(code=row.code, known_from=NOT_YET, **plain)


def unit_row(session: Session, code: str) -> UnitRow:
    """The unit as it is now. Raises NotFoundError."""
    row = current(session, UnitRow, [code]).get(code)
    if not isinstance(row, UnitRow):
        raise NotFoundError(f"台账中没有房屋 {code} / unit {code}: the registry has none of that code")
    return row


def write(session: Session, rows: list[Versioned], now: datetime, by: str) -> list[Change]:
    """Check and write these versions together. Raises RegistryError with everything that does not fit."""
    wanted = [Wanted(row, Where()) for row in rows]
    keep_known(session, wanted)
    faults = faults_of(session, wanted)
    if faults:
        raise RegistryError("; ".join(what for _, what in faults))
    return apply(session, plan(session, wanted), now, by)
