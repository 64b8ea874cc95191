"""What authorities asked for, who decided, and what they were given (requirement P12)."""

from datetime import date, datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class AuthorityRequest(SQLModel, table=True):
    """One request of an authority. `state`: open, given or refused; `decided_by` is never who entered it."""

    __tablename__ = "authority_request"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    authority: str = Field(max_length=128)
    document_no: str = Field(max_length=128)
    officer: str = Field(default="", max_length=64)
    asked_on: date
    legal_basis: str = Field(sa_column=Column(Text, nullable=False))
    scope: str = Field(sa_column=Column(Text, nullable=False))
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    recorded_by: str = Field(max_length=96)
    recorded_at: datetime = Field(sa_type=InstantMs)
    state: str = Field(default="open", max_length=16, index=True)
    decision: str = Field(default="", sa_column=Column(Text, nullable=False))
    given: str = Field(default="", sa_column=Column(Text, nullable=False))
    decided_by: str = Field(default="", max_length=96)
    decided_at: datetime | None = Field(default=None, sa_type=InstantMs)
