"""Every route declares who may use it."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from support.api import Hub

from hub.access.roles import RIGHTS, Right, Role
from hub.api.access.guard import Allow, Policy
from hub.api.pages import Pages
from hub.api.routes import ROUTERS
from hub.api.stream import StreamEndpoint

ROUTES = [route for router in ROUTERS for route in router.routes]


def policies(dependant: Dependant) -> Iterator[Policy]:
    if isinstance(dependant.call, Policy):
        yield dependant.call
    for deeper in dependant.dependencies:
        yield from policies(deeper)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_every_route_declares_one_policy(route: APIRoute) -> None:
    assert isinstance(route, APIRoute)
    assert len(set(map(id, policies(route.dependant)))) == 1


def test_the_stream_and_the_pages_declare_theirs() -> None:
    assert isinstance(StreamEndpoint.policy, Allow)
    assert Pages.policy


@pytest.mark.parametrize("role", Role)
def test_no_role_reads_what_its_rights_do_not_hold(hub: Hub, role: Role) -> None:
    """For every GET without parameters: 403 exactly when the role lacks the route's right."""
    scopes = ("330702-0001",)
    caller = hub.caller(role, *scopes)
    for route in ROUTES:
        if "GET" not in route.methods or "{" in route.path:
            continue
        policy = next(policies(route.dependant))
        if not isinstance(policy, Allow) or policy.must_say:
            continue
        allowed = policy.right is None or policy.right in RIGHTS[role]
        # 404: a household's page of a unit that this empty registry does not have.
        assert caller.get(f"/api/v1{route.path}").status_code in ({200, 404} if allowed else {403}), route.path


def test_only_a_few_roles_reveal_personal_data() -> None:
    holders = {role for role, rights in RIGHTS.items() if Right.REVEAL_PERSONAL_DATA in rights}
    assert holders == {Role.ADMIN, Role.MANAGER}


def test_an_unmatched_purpose_is_refused(hub: Hub) -> None:
    caller = hub.caller()
    assert caller.get("/api/v1/audit", headers={"X-Purpose": "marketing"}).json()["type"].endswith(":purpose")
    assert caller.get("/api/v1/audit", headers={"X-Purpose": "audit"}).status_code == 200
