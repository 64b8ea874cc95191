"""How long things are kept: what the organisation set, what must stay for a while, and what each sweep took away."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Text
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class RetentionSetting(SQLModel, table=True):
    """A period that the organisation set. The newest row of a period holds; older ones say what held before."""

    __tablename__ = "retention_setting"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    period: str = Field(max_length=32, index=True)
    days: int
    reason: str = Field(sa_column=Column(Text, nullable=False))
    set_by: str = Field(max_length=96)
    set_at: datetime = Field(sa_type=InstantMs)


class LegalHold(SQLModel, table=True):
    """Nothing of this unit is taken away before `expires_at`, or before somebody ends the hold."""

    __tablename__ = "legal_hold"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    unit_code: str = Field(max_length=128, index=True)
    reason: str = Field(sa_column=Column(Text, nullable=False))
    set_by: str = Field(max_length=96)
    set_at: datetime = Field(sa_type=InstantMs)
    expires_at: datetime = Field(sa_type=InstantMs)
    ended_at: datetime | None = Field(default=None, sa_type=InstantMs)
    ended_by: str | None = Field(default=None, max_length=96)


class PurgeRun(SQLModel, table=True):
    """One sweep and what it took away: step -> rows."""

    __tablename__ = "purge_run"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    began_at: datetime = Field(sa_type=InstantMs)
    ended_at: datetime = Field(sa_type=InstantMs)
    taken: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
