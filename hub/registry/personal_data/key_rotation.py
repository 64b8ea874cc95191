"""A new key for what is sealed, and everything sealed again under it (requirement P5)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, update
from sqlmodel import Session, and_, col, select

from hub.registry.personal_data.vault import Vault, add_key, drop_keys, load_vault
from hub.store.database import Database
from hub.store.tables.alerts import Recipient
from hub.store.tables.registry import PersonRow

_AT_ONCE: Final = 500
SEALED: Final[tuple[tuple[type[Any], str, str], ...]] = (
    (PersonRow, "name_sealed", "name"),
    (PersonRow, "phone_sealed", "phone"),
    (PersonRow, "document_sealed", "document"),
    (Recipient, "channel_sealed", "channel"),
)
"""Table, column, and the field that the seal is bound to. A test holds that no sealed column is missing here."""


def rekey(database: Database, data_dir: Path) -> int:
    """Make a key, seal every value again, forget the keys that nothing needs; how many values.

    For a hub that stands still. The next run goes on with one that was cut off: old keys stay until all is done.
    """
    add_key(data_dir)
    vault = load_vault(data_dir)
    count = sum(_reseal(database, vault, *sealed) for sealed in SEALED)
    drop_keys(data_dir)
    return count


def _reseal(database: Database, vault: Vault, table: type[Any], column: str, field: str) -> int:
    keys = [key for key in table.__table__.primary_key.columns]  # noqa: C416 - a collection of SQLAlchemy's own
    match: ColumnElement[bool] = and_(*(key == bindparam(f"at_{key.name}") for key in keys))
    statement = update(table.__table__).where(match).values({column: bindparam("sealed_again")})
    count = 0
    while True:
        with database.write() as session:
            rows = list(_of_old_keys(session, vault, table, column))
            if not rows:
                return count
            session.connection().execute(
                statement,
                [
                    {"sealed_again": vault.seal(field, vault.open(field, getattr(row, column)))}
                    | {f"at_{key.name}": getattr(row, key.name) for key in keys}
                    for row in rows
                ],
            )
        count += len(rows)


def _of_old_keys(session: Session, vault: Vault, table: type[Any], column: str) -> Iterator[Any]:
    sealed = col(getattr(table, column))
    newest = sealed.startswith(f"{vault.newest}:", autoescape=True)
    return iter(session.exec(select(table).where(sealed.is_not(None), ~newest).limit(_AT_ONCE)))
