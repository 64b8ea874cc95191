"""Who is calling: a session's cookie or a bearer token, turned into a `Caller`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, select
from starlette.requests import HTTPConnection

from hub.access.credentials import SESSION_IDLE, digest
from hub.access.roles import RIGHTS, Right, Role, sees_everything
from hub.domain.scopes import is_within_any
from hub.store.tables.access import AccessLink, ApiToken, User, UserSession

SESSION_COOKIE: Final = "anfang_session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody known. `name` goes to the audit trail. `scopes` are code prefixes; empty is the whole organisation."""

    name: str
    role: Role
    scopes: tuple[str, ...]
    user_id: int | None = None
    csrf: str | None = None
    session_hash: str | None = None
    session_seen_at: datetime | None = None

    def may(self, right: Right) -> bool:
        """Whether the role has this right."""
        return right in RIGHTS[self.role]

    def sees(self, code: str | None) -> bool:
        """Whether a unit, building or estate code lies in the scope. What has no code is the organisation's."""
        if not self.scopes:
            return sees_everything(self.role, self.scopes)
        return is_within_any((code,), self.scopes)


def find_caller(session: Session, connection: HTTPConnection, now: datetime) -> Caller | None:
    """The caller of a request, or None when there is no valid token or session."""
    authorization = connection.headers.get("authorization", "")
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() == "bearer" and credential:
        return _by_token(session, credential.strip(), now)
    if scheme.lower() == "tenant" and credential:
        return _by_tenant_link(session, credential.strip(), now)
    cookie = connection.cookies.get(SESSION_COOKIE)
    return _by_session(session, cookie, now) if cookie else None


def _by_token(session: Session, token: str, now: datetime) -> Caller | None:
    row = session.exec(select(ApiToken).where(ApiToken.token_hash == digest(token))).first()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now):
        return None
    return Caller(f"token:{row.id}", Role(row.role), tuple(row.scopes))


def _by_session(session: Session, cookie: str, now: datetime) -> Caller | None:
    row = session.get(UserSession, digest(cookie))
    if row is None or row.expires_at <= now or row.seen_at + SESSION_IDLE <= now:
        return None
    user = session.get(User, row.user_id)
    if user is None or user.disabled_at:
        return None
    return Caller(f"user:{user.name}", Role(user.role), tuple(user.scopes), user.id, row.csrf, row.id_hash, row.seen_at)


def _by_tenant_link(session: Session, secret: str, now: datetime) -> Caller | None:
    row = session.get(AccessLink, digest(secret))
    if row is None or row.kind != "tenant" or row.revoked_at or row.expires_at <= now or row.unit_code is None:
        return None
    return Caller(f"tenant:{row.unit_code}", Role.TENANT, (row.unit_code,))


def is_stale(seen_at: datetime, now: datetime) -> bool:
    """Whether a session's `seen_at` is old enough to be worth a write."""
    return now - seen_at > timedelta(minutes=5)
