"""Users, sessions, API tokens, personal links and the audit trail. Secrets are here as hashes only."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class User(SQLModel, table=True):
    """Somebody who signs in. `scopes` are code prefixes of what they may see; an empty list is the organisation."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    name: str = Field(unique=True, max_length=64)
    display_name: str = Field(default="", max_length=64)
    role: str = Field(max_length=16)
    scopes: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    password_hash: str | None = None
    created_at: datetime = Field(sa_type=InstantMs)
    disabled_at: datetime | None = Field(default=None, sa_type=InstantMs)


class UserSession(SQLModel, table=True):
    """A signed-in browser: the hash of its cookie, and the token that its writes must repeat."""

    __tablename__ = "user_session"

    id_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(sa_column=Column(BigKey, ForeignKey("user_account.id"), nullable=False, index=True))
    csrf: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=InstantMs)
    seen_at: datetime = Field(sa_type=InstantMs)
    expires_at: datetime = Field(sa_type=InstantMs)


class ApiToken(SQLModel, table=True):
    """A program's key. The token itself was shown once."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    token_hash: str = Field(unique=True, max_length=64)
    name: str = Field(default="", max_length=64)
    role: str = Field(max_length=16)
    scopes: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=InstantMs)
    expires_at: datetime | None = Field(default=None, sa_type=InstantMs)
    revoked_at: datetime | None = Field(default=None, sa_type=InstantMs)


class AccessLink(SQLModel, table=True):
    """A personal link: `sign_in` works once for a user; `tenant` opens one unit's own page until it expires."""

    __tablename__ = "access_link"

    token_hash: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=16)
    user_id: int | None = Field(default=None, sa_column=Column(BigKey, ForeignKey("user_account.id")))
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    created_at: datetime = Field(sa_type=InstantMs)
    expires_at: datetime = Field(sa_type=InstantMs)
    used_at: datetime | None = Field(default=None, sa_type=InstantMs)
    revoked_at: datetime | None = Field(default=None, sa_type=InstantMs)


class SignInFailure(SQLModel, table=True):
    """Wrong passwords in a row for one name; after five, each next try waits longer."""

    __tablename__ = "sign_in_failure"

    name: str = Field(primary_key=True, max_length=64)
    count: int = 0
    last_at: datetime = Field(sa_type=InstantMs)
    blocked_until: datetime | None = Field(default=None, sa_type=InstantMs)


class SavedView(SQLModel, table=True):
    """A user's named filter of the inbox."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    user_id: int = Field(sa_column=Column(BigKey, ForeignKey("user_account.id"), nullable=False))
    name: str = Field(max_length=64)
    query: str = Field(sa_column=Column(Text, nullable=False))


class AuditEntry(SQLModel, table=True):
    """One line of the audit trail. `hash` covers the line and the hash before it: a changed line shows."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_type=InstantMs, index=True)
    actor: str = Field(max_length=96)
    role: str = Field(max_length=16)
    action: str = Field(max_length=64, index=True)
    subject: str = Field(default="", max_length=128)
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    purpose: str = Field(default="", max_length=32)
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64, unique=True)
