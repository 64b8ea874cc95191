"""Rows that are there once: inserted, or updated where their key is held already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert as PgInsert
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, SQLModel


def insert_into(session: Session, table: Table) -> PgInsert | SqliteInsert:
    """An INSERT that knows ON CONFLICT, for the session's database."""
    is_postgres = session.get_bind().dialect.name == "postgresql"
    return pg_insert(table) if is_postgres else sqlite_insert(table)


def table_of(model: type[SQLModel]) -> Table:
    """The table of a model."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it
    return table


def write_rows(session: Session, model: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; where the primary key is held already, put all other columns in its place."""
    if not rows:
        return
    table = table_of(model)
    keys = [column.name for column in table.primary_key]
    statement = insert_into(session, table)
    fresh = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=fresh), list(rows))
