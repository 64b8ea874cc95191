"""A copy of everything that the registry holds of one person, in full, for them to keep (PIPL 45)."""

from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from hub.errors import NotFoundError
from hub.registry.personal_data.vault import Vault
from hub.store.tables.alerts import CredentialDay
from hub.store.tables.registry import CredentialRow, LeaseRow, OccupantRow, PersonRow, RegistrationRow, Versioned

_SEALED: Final = ("name", "phone", "document")


def copy_of(session: Session, vault: Vault, person: str) -> dict[str, Any]:
    """Every version of their records, and on which days their credentials opened. Raises NotFoundError."""
    versions = list(session.exec(select(PersonRow).where(PersonRow.code == person).order_by(col(PersonRow.known_from))))
    if not versions:
        raise NotFoundError(f"没有人员 {person} / person {person}: there is none")
    held = _rows(session, CredentialRow, col(CredentialRow.person_code) == person)
    refs = {row["code"] for row in held}
    uses = session.exec(select(CredentialDay).where(col(CredentialDay.ref).in_(refs)).order_by(col(CredentialDay.day)))
    return {
        "person": [_opened(row, vault) for row in versions],
        "stays": _rows(session, OccupantRow, col(OccupantRow.person_code) == person),
        "leases": _rows(
            session, LeaseRow, or_(col(LeaseRow.tenant_code) == person, col(LeaseRow.lessor_code) == person)
        ),
        "filings": _rows(session, RegistrationRow, col(RegistrationRow.person_code) == person),
        # The code is what locks know the credential by: a secret of the locks, not of the person.
        "credentials": [{name: value for name, value in row.items() if name != "code"} for row in held],
        "uses": [{"unit": u.unit_code, "day": u.day, "opens": u.opens, "denied": u.denied} for u in uses],
    }


def _rows(session: Session, table: type[Versioned], which: ColumnElement[bool]) -> list[dict[str, Any]]:
    query = select(table).where(which).order_by(col(table.code), col(table.known_from))
    return [row.model_dump() for row in session.exec(query)]


def _opened(row: PersonRow, vault: Vault) -> dict[str, Any]:
    found = {k: v for k, v in row.model_dump().items() if not k.endswith(("_sealed", "_index", "_mask"))}
    for name in _SEALED:
        sealed = getattr(row, f"{name}_sealed")
        found[name] = None if sealed is None else vault.open(name, sealed)
    return found
