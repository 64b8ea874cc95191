"""Makes people anonymous in every version of the registry, and takes the core of long-ended leases away (P6, P8)."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, func, select

from hub.domain.local_time import local_day
from hub.errors import NotFoundError, RegistryError
from hub.registry.personal_data.vault import Vault
from hub.registry.snapshot import held_at
from hub.store.tables.alerts import AlertAction, AlertEvidence, AlertRow
from hub.store.tables.authority import AuthorityRequest
from hub.store.tables.household import HouseholdRequest
from hub.store.tables.registry import (
    BookingRow,
    CredentialRow,
    LeaseRow,
    OccupantRow,
    PersonRow,
    RegistrationRow,
    RegistryRevision,
    UnitRow,
)

FORGOTTEN: Final = "已匿名"
"""What stands for the name of somebody who was forgotten."""

_BLANK: Final = {
    "name_sealed": None, "name_index": None, "name_mask": FORGOTTEN,
    "phone_sealed": None, "phone_index": None, "phone_mask": "",
    "document_type": "", "document_sealed": None, "document_index": None, "document_mask": "", "document_valid": None,
    "identity_verified_on": None, "identity_verified_by": "", "hukou_region": "", "born_on": None,
}  # fmt: skip


def forget(session: Session, people: Collection[str], now: datetime, by: str) -> int:
    """Blank these people in every version, and what points at them by number; how many were not blank before.

    The code stays, so that a lease still shows how many lived there. Audit lines are sealed and stay; they name codes.
    """
    found = select(PersonRow.code).where(col(PersonRow.code).in_(people), PersonRow.name_mask != FORGOTTEN).distinct()
    codes = sorted(session.exec(found).all())
    if not codes:
        return 0
    units = _units_of(session, codes)
    _take_masks_off(session, codes, units)
    connection = session.connection()
    connection.execute(update(PersonRow).where(col(PersonRow.code).in_(codes)).values(**_BLANK))
    connection.execute(update(RegistrationRow).where(col(RegistrationRow.person_code).in_(codes)).values(number=""))
    connection.execute(update(CredentialRow).where(col(CredentialRow.person_code).in_(codes)).values(mask=""))
    session.add(RegistryRevision(at=now, entered_by=by, units=",".join(units) if len(units) <= 100 else "*"))
    session.flush()
    return len(codes)


def _take_masks_off(session: Session, people: Collection[str], units: Collection[str]) -> None:
    """The evidence of their units' alerts says `张*`: that too."""
    held = (
        select(PersonRow.name_mask).where(col(PersonRow.code).in_(people), PersonRow.name_mask != FORGOTTEN).distinct()
    )
    alerts = select(AlertRow.id).where(col(AlertRow.unit_code).in_(units))
    for mask in sorted(session.exec(held).all(), key=len, reverse=True):
        for name in ("note_zh", "note_en"):
            column = getattr(AlertEvidence, name)
            here = col(AlertEvidence.alert_id).in_(alerts) & col(column).contains(mask, autoescape=True)
            session.connection().execute(
                update(AlertEvidence).where(here).values({name: func.replace(column, mask, FORGOTTEN)})
            )


def moved_out(session: Session, before: date, held: Collection[str]) -> list[str]:
    """People who lived or rented somewhere, and whose last stay and lease ended before that day.

    Landlords, and whoever is bound to nothing, are no tenants who left. Nobody of a unit that is held.
    """
    last: dict[str, date | None] = {}
    where: dict[str, set[str]] = {}

    def note(person: str | None, unit: str, end: date | None) -> None:
        if person is None:
            return
        where.setdefault(person, set()).add(unit)
        known = last.get(person, date.min)
        last[person] = None if known is None or end is None else max(known, end)

    for stay in session.exec(select(OccupantRow).where(held_at(OccupantRow, None))).all():
        note(stay.person_code, stay.unit_code, stay.to_on)
    lessors: set[str | None] = set(session.exec(select(UnitRow.owner_code).where(held_at(UnitRow, None))).all())
    for lease in session.exec(select(LeaseRow).where(held_at(LeaseRow, None))).all():
        lessors.add(lease.lessor_code)
        # A term that is over is no end: the tenancy may go on (Civil Code 734). Only a real one counts.
        note(lease.tenant_code, lease.unit_code, lease.ended_on)
    gone = (person for person, end in last.items() if end is not None and end < before)
    return sorted(person for person in gone if person not in lessors and not where[person] & set(held))


def drop_ended_leases(session: Session, before: date, held: Collection[str], limit: int) -> int:
    """Delete every version of leases that ended before that day, with their stays and registrations; how many."""
    query = select(LeaseRow.code, LeaseRow.unit_code).where(held_at(LeaseRow, None), col(LeaseRow.ended_on) < before)
    codes = [code for code, unit in session.exec(query.order_by(col(LeaseRow.code))).all() if unit not in held][:limit]
    connection = session.connection()
    for table in (OccupantRow, RegistrationRow, CredentialRow):
        connection.execute(delete(table).where(col(table.lease_code).in_(codes)))
    connection.execute(delete(LeaseRow).where(col(LeaseRow.code).in_(codes)))
    return len(codes)


def erase(session: Session, vault: Vault, person: str, now: datetime, by: str, *, held: Collection[str] = ()) -> int:
    """Erase one person at their own wish (PIPL 47), with what people wrote about them in free text; places mended.

    Raises NotFoundError, and RegistryError while a lease or stay of theirs goes on (it rests on the contract), while
    they own a unit, and while one of the `held` units is theirs.
    """
    row = session.exec(select(PersonRow).where(PersonRow.code == person, held_at(PersonRow, None))).first()
    if row is None:
        raise NotFoundError(f"没有人员 {person} / person {person}: there is none")
    today = local_day(now)
    if _is_bound(session, person, today):
        raise RegistryError(
            f"仍在住或租约未结束，请先办理退租 / person {person}: a stay or lease goes on; enter its end first"
        )
    if (
        session.exec(select(UnitRow.code).where(held_at(UnitRow, None), UnitRow.owner_code == person)).first()
        is not None
    ):
        raise RegistryError(f"仍是房东，请先登记新房东 / person {person}: owns a unit; enter its new owner first")
    if set(_units_of(session, [person])) & set(held):
        raise RegistryError(f"房屋处于法律保留期 / person {person}: a legal hold lies on their unit")
    sealed = (("name", row.name_sealed), ("phone", row.phone_sealed), ("document", row.document_sealed))
    words = [vault.open(field, value) for field, value in sealed if value is not None]
    mended = _scrub(session, [word for word in words if len(word) > 1])
    forget(session, [person], now, by)
    return mended


def _is_bound(session: Session, person: str, today: date) -> bool:
    stays = select(func.count()).where(
        held_at(OccupantRow, None),
        OccupantRow.person_code == person,
        or_(col(OccupantRow.to_on).is_(None), col(OccupantRow.to_on) >= today),
    )
    leases = select(func.count()).where(
        held_at(LeaseRow, None),
        or_(col(LeaseRow.tenant_code) == person, col(LeaseRow.lessor_code) == person),
        or_(col(LeaseRow.ended_on).is_(None), col(LeaseRow.ended_on) >= today),
    )
    return session.exec(stays).one() + session.exec(leases).one() > 0


def _scrub(session: Session, words: Sequence[str]) -> int:
    """Replace exact words in what people typed: reasons, comments, bookings, explanations."""
    mended = 0
    columns = (
        (AlertAction, "reason"), (AlertAction, "detail"), (AlertRow, "explanation_zh"), (AlertRow, "explanation_en"),
        (BookingRow, "reason"), (HouseholdRequest, "words"), (HouseholdRequest, "answer"),
        (AuthorityRequest, "scope"), (AuthorityRequest, "given"), (AuthorityRequest, "decision"),
    )  # fmt: skip
    for table, name in columns:
        column = getattr(table, name)
        for word in words:
            query = update(table).where(col(column).contains(word, autoescape=True))
            done = session.connection().execute(query.values({name: func.replace(column, word, FORGOTTEN)}))
            mended += done.rowcount
    return mended


def _units_of(session: Session, people: Sequence[str]) -> list[str]:
    stays = session.exec(select(OccupantRow.unit_code).where(col(OccupantRow.person_code).in_(people)).distinct()).all()
    leases = session.exec(select(LeaseRow.unit_code).where(col(LeaseRow.tenant_code).in_(people)).distinct()).all()
    return sorted({*stays, *leases})


def purge_day(now: datetime, days: int) -> date:
    """The local day before which something must have ended to be over its time."""
    return local_day(now) - timedelta(days=days)
