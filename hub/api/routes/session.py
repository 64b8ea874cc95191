"""Signing in and out: by password or by a one-time link; who am I."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from hub.access.credentials import (
    SESSION_LIFE,
    count_try,
    find_user,
    forget_tries,
    is_password,
    new_session,
    redeem_sign_in_link,
)
from hub.access.roles import RIGHTS, Role
from hub.api.access.caller import SESSION_COOKIE, Caller
from hub.api.access.guard import Allow, Public, authenticate, services_of
from hub.api.problems import Problem
from hub.store.audit import Audited, append_audit
from hub.store.tables.access import User, UserSession

router = APIRouter(tags=["session"])


class SignIn(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class SignInLink(BaseModel):
    """The secret of a one-time link, which the page takes from the address after the `#`."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[str, Field(min_length=1, max_length=128)]


class SessionInfo(BaseModel):
    """Who is signed in. `csrf` is repeated in `X-CSRF-Token` by every write that a cookie signs; null for tokens."""

    name: str
    role: Role
    rights: list[str]
    scopes: list[str]
    csrf: str | None


@router.post("/session", dependencies=[Depends(Public("it is how one becomes known"))])
def sign_in(body: SignIn, request: Request, response: Response) -> SessionInfo:
    """Sign in with a password. After five wrong tries each next one waits (429, `Retry-After`)."""
    _same_site(request)
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        wait_s = count_try(session, body.name, now)
    if wait_s:
        raise Problem("too-many-tries", headers={"Retry-After": str(wait_s)})
    with services.database.read() as session:
        user = find_user(session, body.name)
    if not is_password(user, body.password) or user is None:
        with services.database.write() as session:
            append_audit(session, Audited("unknown", "", "session.refused", subject=user.name if user else ""), now)
        raise Problem("wrong-password")
    return _enter(request, response, user)


@router.post("/session/link", dependencies=[Depends(Public("it is how one becomes known"))])
def sign_in_by_link(body: SignInLink, request: Request, response: Response) -> SessionInfo:
    """Sign in with a one-time link. It works once."""
    _same_site(request)
    services = services_of(request)
    with services.database.write() as session:
        user = redeem_sign_in_link(session, body.secret, services.clock.now())
    return _enter(request, response, user)


@router.get(
    "/session",
    dependencies=[Depends(Public("a page asks before anybody has signed in"))],
    responses={204: {"description": "nobody is signed in"}},
)
def who_am_i(request: Request, response: Response) -> SessionInfo | None:
    """The caller, as the hub knows them. 204 for a browser in which nobody is signed in, 401 for a wrong token."""
    try:
        caller = authenticate(request)
    except Problem:
        if "authorization" in request.headers:
            raise
        response.status_code = 204
        return None
    return _info(caller.name.partition(":")[2], caller.role, caller.scopes, caller.csrf)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, caller: Annotated[Caller, Depends(Allow(None))]) -> None:
    """Sign out: the session is gone on the hub too."""
    services = services_of(request)
    if caller.session_hash is not None:
        with services.database.write() as session:
            row = session.get(UserSession, caller.session_hash)
            if row is not None:
                session.delete(row)
            append_audit(session, Audited(caller.name, caller.role.value, "session.end"), services.clock.now())
    response.delete_cookie(SESSION_COOKIE, path="/")


def _enter(request: Request, response: Response, user: User) -> SessionInfo:
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        forget_tries(session, user.name)
        cookie, csrf = new_session(session, user, now)
        append_audit(session, Audited(f"user:{user.name}", user.role, "session.begin"), now)
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _info(user.name, Role(user.role), tuple(user.scopes), csrf)


def _info(name: str, role: Role, scopes: tuple[str, ...], csrf: str | None) -> SessionInfo:
    return SessionInfo(
        name=name, role=role, rights=sorted(right.value for right in RIGHTS[role]), scopes=list(scopes), csrf=csrf
    )


def _same_site(request: Request) -> None:
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem("csrf", "Origin: another site's page")
