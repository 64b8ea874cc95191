"""What households ask of the organisation: to correct or to erase what is held of them (PIPL 46, 47)."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class HouseholdRequest(SQLModel, table=True):
    """One request and its answer. `state`: open, done or refused; a refusal has its reason in `answer`."""

    __tablename__ = "household_request"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    unit_code: str = Field(max_length=128, index=True)
    kind: str = Field(max_length=16)
    words: str = Field(sa_column=Column(Text, nullable=False))
    made_at: datetime = Field(sa_type=InstantMs)
    due_at: datetime = Field(sa_type=InstantMs)
    state: str = Field(default="open", max_length=16, index=True)
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))
    answered_by: str = Field(default="", max_length=96)
    answered_at: datetime | None = Field(default=None, sa_type=InstantMs)
