"""The log of changes that open pages follow: its `id` is the `id:` of a server-sent event."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class ChangeRow(SQLModel, table=True):
    """One change, written in the transaction that caused it. Old rows are purged; a page away longer reloads."""

    __tablename__ = "change"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_type=InstantMs, index=True)
    kind: str = Field(max_length=16)
    subject: str = Field(max_length=128)
    what: str = Field(max_length=32)
