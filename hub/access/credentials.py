"""Passwords, tokens, sessions and links: made, checked and taken away. Functions of a database session and a time."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlmodel import Session, col, delete, select

from hub.access.roles import Role, sees_nothing
from hub.errors import ConfigError, NotAllowedError
from hub.store.tables.access import AccessLink, ApiToken, SignInFailure, User, UserSession

KEY_MARK: Final = "anf_"
"""What tokens begin with, so that scanners for leaked keys know one of ours."""
SESSION_LIFE: Final = timedelta(hours=12)
SESSION_IDLE: Final = timedelta(hours=2)
SIGN_IN_LINK_LIFE: Final = timedelta(minutes=30)
FREE_TRIES: Final = 5
MIN_PASSWORD: Final = 10

_HASHER: Final = PasswordHasher()
# Verified when there is no such user, so that the answer takes as long as for one who exists.
_NOBODY: Final = _HASHER.hash(secrets.token_urlsafe(16))


def digest(secret: str) -> str:
    """How a random secret is stored. It has 256 bits of its own, so a plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_user(
    session: Session,
    *,
    name: str,
    role: Role,
    scopes: Sequence[str],
    password_hash: str | None,
    display_name: str = "",
    now: datetime,
) -> User:
    """A new user; without a password (`hash_password`) they enter by link only. Raises ConfigError with the mend."""
    if not name or len(name) > 64 or any(sign.isspace() for sign in name):
        raise ConfigError(
            f"name: 用户名须为 1 至 64 个字且不含空格 / user {name!r}: 1 to 64 signs without spaces are allowed"
        )
    if session.exec(select(User).where(User.name == name)).first():
        raise ConfigError(f"name: 用户 {name} 已存在，请换一个 / user {name!r} exists already; choose another name")
    _check_scopes(role, scopes)
    user = User(
        name=name,
        display_name=display_name or name,
        role=role.value,
        scopes=list(scopes),
        password_hash=password_hash,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def _check_scopes(role: Role, scopes: Sequence[str]) -> None:
    if sees_nothing(role, scopes):
        raise ConfigError(
            f"scopes: 此角色须指定范围 / role {role.value}: name at least one --scope (a building's or a unit's code)"
        )


def hash_password(password: str) -> str:
    """Argon2id of a password; takes tens of milliseconds, so not inside a transaction. ConfigError when too short."""
    if len(password) < MIN_PASSWORD:
        raise ConfigError(f"password: 密码至少 {MIN_PASSWORD} 位 / at least {MIN_PASSWORD} signs are needed")
    return _HASHER.hash(password)


def count_try(session: Session, name: str, now: datetime) -> int:
    """Count a try at `name` before its password is looked at, so that parallel guesses gain nothing.

    Returns 0, or the seconds to wait: after five wrong tries in a row each next one waits, up to 15 minutes.
    """
    failure = session.get(SignInFailure, name)
    if failure and failure.blocked_until and failure.blocked_until > now:
        return int((failure.blocked_until - now).total_seconds()) + 1
    if failure is None:
        session.exec(delete(SignInFailure).where(col(SignInFailure.last_at) < now - timedelta(days=1)))
        failure = SignInFailure(name=name, last_at=now)
    failure.count += 1
    failure.last_at = now
    if failure.count >= FREE_TRIES:
        failure.blocked_until = now + timedelta(seconds=min(30 * 2 ** (failure.count - FREE_TRIES), 900))
    session.add(failure)
    return 0


def forget_tries(session: Session, name: str) -> None:
    """A right password ends the row of wrong ones."""
    session.exec(delete(SignInFailure).where(col(SignInFailure.name) == name))


def find_user(session: Session, name: str) -> User | None:
    """The user of this name who may still sign in."""
    user = session.exec(select(User).where(User.name == name)).first()
    return None if user is None or user.disabled_at else user


def is_password(user: User | None, password: str) -> bool:
    """Whether this is the user's password. Takes tens of milliseconds: call it outside of any transaction."""
    stored = user.password_hash if user else None
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def new_session(session: Session, user: User, now: datetime) -> tuple[str, str]:
    """Sign `user` in: the cookie's value, and the token that writes must repeat. Old sessions are swept away."""
    cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session.exec(delete(UserSession).where(col(UserSession.expires_at) < now))
    session.add(
        UserSession(
            id_hash=digest(cookie),
            user_id=user.id or 0,
            csrf=csrf,
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    return cookie, csrf


def new_token(
    session: Session, *, role: Role, scopes: Sequence[str], name: str, life: timedelta | None, now: datetime
) -> str:
    """Make an API token and return it: the only time that it is seen. Raises ConfigError."""
    _check_scopes(role, scopes)
    token = KEY_MARK + secrets.token_urlsafe(32)
    session.add(
        ApiToken(
            token_hash=digest(token),
            name=name,
            role=role.value,
            scopes=list(scopes),
            created_at=now,
            expires_at=None if life is None else now + life,
        )
    )
    return token


def new_sign_in_link(session: Session, user: User, now: datetime) -> str:
    """The secret of a link that signs `user` in once, within half an hour."""
    secret = secrets.token_urlsafe(32)
    session.add(
        AccessLink(
            token_hash=digest(secret),
            kind="sign_in",
            user_id=user.id,
            created_at=now,
            expires_at=now + SIGN_IN_LINK_LIFE,
        )
    )
    return secret


def redeem_sign_in_link(session: Session, secret: str, now: datetime) -> User:
    """The user of a link, which is used up. Raises NotAllowedError when it is unknown, used or too old."""
    link = session.get(AccessLink, digest(secret))
    if link is None or link.kind != "sign_in" or link.used_at or link.revoked_at or link.expires_at <= now:
        raise NotAllowedError(
            "登录链接已使用或已过期，请重新索取 / this sign-in link was used already or has expired; ask for a new one"
        )
    user = session.get(User, link.user_id)
    if user is None or user.disabled_at:
        raise NotAllowedError("登录链接已失效 / this sign-in link belongs to nobody any more")
    link.used_at = now
    session.add(link)
    return user


def new_tenant_link(session: Session, unit_code: str, life: timedelta, now: datetime) -> str:
    """The secret of a personal link to one unit's own page; links given before for that unit stop working."""
    for old in session.exec(
        select(AccessLink).where(
            AccessLink.unit_code == unit_code, AccessLink.kind == "tenant", col(AccessLink.revoked_at).is_(None)
        )
    ):
        old.revoked_at = now
        session.add(old)
    secret = secrets.token_urlsafe(32)
    session.add(
        AccessLink(token_hash=digest(secret), kind="tenant", unit_code=unit_code, created_at=now, expires_at=now + life)
    )
    return secret
