"""Users and API tokens, run by administrators."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, delete, select

from hub.access.credentials import hash_password, new_sign_in_link, new_token, new_user
from hub.access.roles import Right, Role
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.errors import ConfigError, NotFoundError
from hub.store.audit import Audited, append_audit
from hub.store.tables.access import ApiToken, User, UserSession

router = APIRouter(tags=["users"])
Admin = Annotated[Caller, Depends(Allow(Right.RUN_USERS))]
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
Code = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\s%\x00]+$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\x00]+$")]
Password = Annotated[str, Field(min_length=10, max_length=256, pattern=r"^[^\x00]*$")]
Label = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]


class UserOut(BaseModel):
    """A user, without anything secret."""

    id: int
    name: str
    display_name: str
    role: Role
    scopes: list[str]
    has_password: bool
    created_at: datetime
    disabled_at: datetime | None


class UserIn(BaseModel):
    """A new user. Without a password they enter by link only."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    display_name: Label = ""
    role: Role
    scopes: Annotated[list[Code], Field(max_length=200)] = []
    password: Password | None = None


class UserChange(BaseModel):
    """What is to change; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    display_name: Label | None = None
    role: Role | None = None
    scopes: Annotated[list[Code], Field(max_length=200)] | None = None
    password: Password | None = None
    disabled: bool | None = None


class LinkOut(BaseModel):
    """A one-time sign-in link, to be given to its user; the secret is shown once."""

    path: str
    expires_in_s: int


class TokenIn(BaseModel):
    """A new API token."""

    model_config = ConfigDict(extra="forbid")

    name: Label = ""
    role: Role
    scopes: Annotated[list[Code], Field(max_length=200)] = []
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


class TokenMade(BaseModel):
    """The token itself, shown this once."""

    token: str


class TokenOut(BaseModel):
    """A token, without its secret."""

    id: int
    name: str
    role: Role
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def _out(user: User) -> UserOut:
    return UserOut(
        id=user.id or 0,
        name=user.name,
        display_name=user.display_name,
        role=Role(user.role),
        scopes=user.scopes,
        has_password=user.password_hash is not None,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )


@router.get("/users")
def list_users(request: Request, _caller: Admin, cursor: Cursor = None, limit: Limit = 100) -> Page[UserOut]:
    """Everybody who may sign in, by id."""
    after = from_cursor(cursor, int) or 0
    with services_of(request).database.read() as session:
        rows = session.exec(select(User).where(col(User.id) > after).order_by(col(User.id)).limit(limit + 1)).all()
    return Page(items=[_out(row) for row in rows[:limit]], next=to_cursor(rows[limit - 1].id) if rows[limit:] else None)


@router.post("/users", status_code=201)
def add_user(body: UserIn, request: Request, caller: Admin) -> UserOut:
    """Add a user."""
    services = services_of(request)
    now = services.clock.now()
    password_hash = None if body.password is None else hash_password(body.password)
    with services.database.write() as session:
        user = new_user(
            session,
            name=body.name,
            role=body.role,
            scopes=body.scopes,
            password_hash=password_hash,
            display_name=body.display_name,
            now=now,
        )
        append_audit(session, Audited(caller.name, caller.role, "user.add", user.name, detail=body.role.value), now)
        return _out(user)


@router.patch("/users/{user_id}")
def change_user(user_id: Id, body: UserChange, request: Request, caller: Admin) -> UserOut:
    """Change a user. A new password, a new role or disabling ends their sessions."""
    services = services_of(request)
    now = services.clock.now()
    password_hash = None if body.password is None else hash_password(body.password)
    with services.database.write() as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFoundError(f"没有用户 {user_id} / user {user_id}: there is none")
        if user.id == caller.user_id and (body.disabled or body.role not in {None, user.role}):
            raise ConfigError(
                "不能修改自己的角色，请由其他管理员修改 / your own role stays; another administrator can change it"
            )
        changed = sorted(body.model_fields_set)
        user.display_name = body.display_name if body.display_name is not None else user.display_name
        user.role = body.role.value if body.role is not None else user.role
        user.scopes = list(body.scopes) if body.scopes is not None else user.scopes
        user.password_hash = password_hash or user.password_hash
        if body.disabled is not None:
            user.disabled_at = now if body.disabled else None
        session.add(user)
        if password_hash or body.disabled or body.role or body.scopes is not None:
            session.exec(delete(UserSession).where(col(UserSession.user_id) == user_id))
        entry = Audited(caller.name, caller.role, "user.change", user.name, detail=",".join(changed))
        append_audit(session, entry, now)
        return _out(user)


@router.post("/users/{user_id}/link", status_code=201)
def make_link(user_id: Id, request: Request, caller: Admin) -> LinkOut:
    """A link that signs this user in once, within half an hour."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        user = session.get(User, user_id)
        if user is None or user.disabled_at:
            raise NotFoundError(f"用户 {user_id} 不存在或已停用 / user {user_id}: there is none who may sign in")
        secret = new_sign_in_link(session, user, now)
        append_audit(session, Audited(caller.name, caller.role, "user.link", user.name), now)
    return LinkOut(path=f"/enter#{secret}", expires_in_s=1800)


@router.get("/tokens")
def list_tokens(request: Request, _caller: Admin, cursor: Cursor = None, limit: Limit = 100) -> Page[TokenOut]:
    """The keys of programs, by id."""
    after = from_cursor(cursor, int) or 0
    query = select(ApiToken).where(col(ApiToken.id) > after).order_by(col(ApiToken.id)).limit(limit + 1)
    with services_of(request).database.read() as session:
        rows = session.exec(query).all()
    items = [
        TokenOut(
            id=row.id or 0,
            name=row.name,
            role=Role(row.role),
            scopes=row.scopes,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
        for row in rows[:limit]
    ]
    return Page(items=items, next=to_cursor(rows[limit - 1].id) if rows[limit:] else None)


@router.post("/tokens", status_code=201)
def add_token(body: TokenIn, request: Request, caller: Admin) -> TokenMade:
    """Make a token for a program. It is shown once."""
    services = services_of(request)
    now = services.clock.now()
    life = None if body.days is None else timedelta(days=body.days)
    with services.database.write() as session:
        token = new_token(session, role=body.role, scopes=body.scopes, name=body.name, life=life, now=now)
        append_audit(session, Audited(caller.name, caller.role, "token.add", body.name, detail=body.role.value), now)
    return TokenMade(token=token)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: Id, request: Request, caller: Admin) -> None:
    """Stop a token."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        row = session.get(ApiToken, token_id)
        if row is None:
            raise NotFoundError(f"没有密钥 {token_id} / token {token_id}: there is none")
        row.revoked_at = row.revoked_at or now
        session.add(row)
        append_audit(session, Audited(caller.name, caller.role, "token.revoke", str(token_id)), now)
