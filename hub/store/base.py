"""What every table shares: naming of constraints, and instants as integers.

Tables are storage, built from values that are already valid: `table=True` classes do not validate.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, MetaData
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key that SQLite still takes for its rowid."""


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware instant."""
    since = at - _EPOCH
    # In parts: a division of timedeltas takes three times as long, and this runs for each event.
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def from_ms(milliseconds: int) -> datetime:
    """The inverse of `to_ms`."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


class InstantMs(TypeDecorator[datetime]):
    """An aware instant in UTC, stored as milliseconds since 1970: the same on every database, and cheap to insert."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuses naive datetimes with ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"instant {value!r} has no time zone")
        return to_ms(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Always aware, in UTC."""
        return None if value is None else from_ms(int(value))
