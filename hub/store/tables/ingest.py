"""Gateways, the streams they send, the events in them, and what could not be decoded."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class Gateway(SQLModel, table=True):
    """A box in a building. `unadopted` until somebody says whose it is."""

    __tablename__ = "gateway"

    id: str = Field(primary_key=True, max_length=64)
    state: str = Field(default="unadopted", max_length=16)  # unadopted, active, suspended, retired
    building_code: str | None = Field(default=None, index=True)
    first_seen_at: datetime = Field(sa_type=InstantMs)
    last_seen_at: datetime = Field(sa_type=InstantMs)
    link: str = Field(default="unknown", max_length=16)  # online, offline, unknown: what its status topic says
    link_since: datetime | None = Field(default=None, sa_type=InstantMs)
    agent_version: str | None = None


class Stream(SQLModel, table=True):
    """Progress of one epoch of one gateway: which numbers are stored, as ranges [[first, last], …]."""

    __tablename__ = "stream"
    __table_args__ = (UniqueConstraint("gateway_id", "epoch"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    gateway_id: str = Field(foreign_key="gateway.id", max_length=64)
    epoch: str = Field(max_length=64)
    stored: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    rejected: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    floor_seq: int = Field(default=0, sa_type=BigInteger)
    ack_seq: int = Field(default=0, sa_type=BigInteger)
    first_batch_at: datetime = Field(sa_type=InstantMs)
    last_batch_at: datetime = Field(sa_type=InstantMs)
    progress_at: datetime = Field(sa_type=InstantMs)  # when ack_seq last moved


class EventRow(SQLModel, table=True):
    """One event, its body as it came. `(stream_id, seq)` is its identity; `id` rises in the order of storing."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("stream_id", "seq"),
        Index("ix_event_unit_observed_at", "unit", "observed_at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    stream_id: int = Field(sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    observed_at: datetime = Field(sa_type=InstantMs)
    sent_at: datetime = Field(sa_type=InstantMs)
    received_at: datetime = Field(sa_type=InstantMs)
    clock: str = Field(max_length=8)
    kind: str = Field(max_length=64)
    device: str = Field(max_length=128)
    unit: str | None = Field(default=None, max_length=128)
    body: str = Field(sa_column=Column(Text, nullable=False))


class RejectedBatch(SQLModel, table=True):
    """A message that broke the contract, kept as it came."""

    __tablename__ = "rejected_batch"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    received_at: datetime = Field(sa_type=InstantMs)
    topic: str
    gateway_id: str = Field(max_length=64, index=True)
    epoch: str = Field(default="", max_length=64)
    seq: int = Field(default=0, sa_type=BigInteger)
    reason: str
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
