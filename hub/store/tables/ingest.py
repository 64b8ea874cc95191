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
    """Progress of one epoch of one gateway. `accounted` and `rejected` are ranges [[first, last], …].

    Every number that arrived is in `accounted`; those of them that could not be decoded are in `rejected` too.
    """

    __tablename__ = "stream"
    __table_args__ = (UniqueConstraint("gateway_id", "epoch"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    gateway_id: str = Field(foreign_key="gateway.id", max_length=64)
    epoch: str = Field(max_length=64)
    accounted: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    rejected: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    stored_count: int = Field(default=0, sa_type=BigInteger)
    forgotten_count: int = Field(default=0, sa_type=BigInteger)  # numbers in holes too old to be listed
    floor_seq: int = Field(default=0, sa_type=BigInteger)
    has_floor: bool = False  # the sender said its floor, or the hub took one for it (decision 0002)
    ack_seq: int = Field(default=0, sa_type=BigInteger)
    first_batch_at: datetime = Field(sa_type=InstantMs)
    last_batch_at: datetime = Field(sa_type=InstantMs)
    progress_at: datetime = Field(sa_type=InstantMs)  # when ack_seq last moved


class EventRow(SQLModel, table=True):
    """One event, its body as it came. `(stream_id, seq)` is its identity; `id` rises in the order of storing."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("stream_id", "seq"),
        Index("ix_event_unit_id", "unit", "id"),
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


class UnfoldedEvent(SQLModel, table=True):
    """A stored event on which a rule failed: a fault of the hub's, kept until it was folded again."""

    __tablename__ = "unfolded_event"

    event_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_type=InstantMs)
    error: str = Field(sa_column=Column(Text, nullable=False))


class RejectedBatch(SQLModel, table=True):
    """A message that broke the contract, kept as it came (at most 256 KiB of it). The same message again is counted."""

    __tablename__ = "rejected_batch"
    __table_args__ = (UniqueConstraint("gateway_id", "digest"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    received_at: datetime = Field(sa_type=InstantMs)
    last_received_at: datetime = Field(sa_type=InstantMs)
    times: int = 1
    topic: str = Field(max_length=512)
    gateway_id: str = Field(max_length=64)
    epoch: str = Field(default="", max_length=64)
    seq: int = Field(default=0, sa_type=BigInteger)
    reason: str = Field(sa_column=Column(Text, nullable=False))
    size_bytes: int = 0
    digest: str = Field(max_length=64)
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CommandRow(SQLModel, table=True):
    """A command to a gateway and what became of it. Written before it is sent."""

    __tablename__ = "command"

    id: str = Field(primary_key=True, max_length=64)
    gateway_id: str = Field(max_length=64, index=True)
    kind: str = Field(max_length=64)
    args: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    actor: str = Field(default="system", max_length=96)
    state: str = Field(default="waiting", max_length=16, index=True)  # waiting, sent, done, failed, expired
    created_at: datetime = Field(sa_type=InstantMs)
    expires_at: datetime = Field(sa_type=InstantMs)
    sent_at: datetime | None = Field(default=None, sa_type=InstantMs)
    replied_at: datetime | None = Field(default=None, sa_type=InstantMs)
    result: str | None = Field(default=None, sa_column=Column(Text))  # JSON
    error: str | None = Field(default=None, sa_column=Column(Text))
