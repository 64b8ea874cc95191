"""What every route declares: the right it needs, and the purposes for which its data may be read.

A route without a declared policy fails a test; so does a mutation that a cookie could make without its token.
"""

import hmac
from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from hub.access.roles import Purpose, Right
from hub.api.access.caller import SESSION_COOKIE, Caller, find_caller, is_stale
from hub.api.problems import Problem
from hub.runtime.services import Services
from hub.store.tables.access import UserSession

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(auto_error=False, scheme_name="token", description="`anfang-hub token create`")
cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, scheme_name="session", description="Writes repeat `csrf` in X-CSRF-Token."
)


def services_of(connection: HTTPConnection) -> Services:
    """What the composition root gave to this application."""
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services


class Policy:
    """The mark of a declared policy; every route has exactly one among its dependencies."""


class Public(Policy):
    """A route for callers whom nobody knows yet; `why` is read by reviewers."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __call__(self) -> None:
        """Lets everybody in."""


class Allow(Policy):
    """A route for callers with `right`; None asks only that they are known.

    With `purposes`, the data is personal: `X-Purpose` names one of them, or the first is taken as the purpose of the
    route itself; with `must_say`, the caller has to name it.
    """

    def __init__(self, right: Right | None, *purposes: Purpose, must_say: bool = False) -> None:
        self.right, self.purposes, self.must_say = right, purposes, must_say

    def __call__(
        self,
        request: Request,
        _bearer: Annotated[object, Depends(bearer)],
        _cookie: Annotated[object, Depends(cookie)],
        x_purpose: Annotated[str | None, Header(max_length=32, description="why the data is read")] = None,
    ) -> Caller:
        """The caller. Raises Problem: 401 unknown, 403 without the right, the purpose or the page's token."""
        caller = authenticate(request)
        if self.right is not None and not caller.may(self.right):
            raise Problem("not-allowed", f"权限不足：需要 {self.right.value} / the right {self.right.value} is needed")
        request.state.purpose = self._purpose(x_purpose)
        return caller

    def _purpose(self, named: str | None) -> str:
        allowed = [purpose.value for purpose in self.purposes]
        if named is None and not self.must_say:
            return allowed[0] if allowed else ""
        if allowed and named not in allowed:
            raise Problem("purpose", f"X-Purpose: one of {', '.join(allowed)}")
        return named or ""


def authenticate(connection: HTTPConnection) -> Caller:
    """The caller of a request, whose writes carry the page's token when a cookie signs them in. Raises Problem."""
    services = services_of(connection)
    now = services.clock.now()
    with services.database.read() as session:
        caller = find_caller(session, connection, now)
    if caller is None:
        raise Problem("not-signed-in", headers={"WWW-Authenticate": "Bearer"})
    if caller.session_hash is not None:
        if connection.scope.get("method", "GET") not in SAFE_METHODS:
            _check_page(connection, caller)
        if caller.session_seen_at is not None and is_stale(caller.session_seen_at, now):
            with services.database.write() as session:
                row = session.get(UserSession, caller.session_hash)
                if row is not None:
                    row.seen_at = now
                    session.add(row)
    return caller


def _check_page(connection: HTTPConnection, caller: Caller) -> None:
    sent = connection.headers.get("x-csrf-token", "")
    if caller.csrf is None or not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
        raise Problem("csrf", "X-CSRF-Token: repeat `csrf` of GET /api/v1/session")
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
        raise Problem("csrf", "Origin: another site's page")


def purpose_of(request: Request) -> str:
    """The purpose that the guard settled for this request."""
    purpose = request.state.purpose
    assert isinstance(purpose, str)
    return purpose


def within(caller: Caller, codes: Sequence[str | None]) -> bool:
    """Whether the caller sees one of these codes."""
    return any(caller.sees(code) for code in codes)
