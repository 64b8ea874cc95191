"""Rules over the API: numbers with their sources, what is set for a scope, and what-if beside the hub."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.api import Hub, running_api
from support.house import GATEWAY, House, card_ref, event
from support.wait import until

from hub.access.roles import Role

REGISTRY = f"""
registry: 1
scopes: [{{code: E1, kind: estate, name: 小区}}]
buildings: [{{code: B1, name: 一号楼, jurisdiction: "330106", land_type: state, scope: E1, gateways: [{GATEWAY}]}}]
people: [{{code: p1, name: 张三}}]
units:
  - code: B1-101
    building: B1
    leases: [{{code: L1, start: 2025-11-01, end: 2026-10-20, tenant: p1, occupants: [{{person: p1, role: tenant}}]}}]
    credentials: [{{card: 1001, person: p1, lease: L1}}]
    devices: [{{gateway: {GATEWAY}, device: lock-101, kind: lock}}]
"""
C8 = {"rule": "C8", "parameter": "opens", "value": 50}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub with a past: an expired lease whose card goes on opening."""
    house = House(tmp_path)
    house.load(REGISTRY)
    for _ in range(4):
        card = {"type": "card", "ref": card_ref(1001)}
        house.send(event("lock.access", house.now, "lock-101", "B1-101", result="granted", credential=card))
        house.tick(seconds=5)
    house.close()
    with running_api(tmp_path) as running:
        yield running


def finished(caller: httpx.Client, number: int) -> dict[str, Any]:
    def look() -> bool:
        return bool(caller.get(f"/api/v1/replays/{number}").json()["state"] != "running")

    until(look, deadline_s=60, what="the replay's end")
    found: dict[str, Any] = caller.get(f"/api/v1/replays/{number}").json()
    return found


def test_numbers_come_with_their_sources_and_shapes(hub: Hub) -> None:
    viewer = hub.caller(Role.VIEWER)
    rules = {found["rule"]: found for found in viewer.get("/api/v1/policies", params={"building": "B1"}).json()}
    numbers = {item["name"]: item for item in rules["C1"]["parameters"]}
    assert numbers["min_area_m2"]["pack"].startswith("hangzhou")
    assert (numbers["min_area_m2"]["kind"], numbers["enabled"]["kind"]) == ("number", "switch")
    assert "usable" in numbers["area_basis"]["choices"]
    assert rules["L1"]["title"]["zh"]
    assert {"national", "zhejiang", "hangzhou"} <= {pack["id"] for pack in viewer.get("/api/v1/policies/packs").json()}
    assert viewer.get("/api/v1/policies", params={"building": "B9"}).status_code == 404


def test_what_is_set_for_a_scope_holds_there_until_it_is_ended(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    wanted = {**C8, "scope": "E1", "reason": "many renewals are late here"}
    made = manager.post("/api/v1/policies/overrides", json=wanted)
    assert made.status_code == 201, made.text
    rules = {found["rule"]: found for found in manager.get("/api/v1/policies", params={"building": "B1"}).json()}
    assert [(i["value"], bool(i["overridden_by"])) for i in rules["C8"]["parameters"] if i["name"] == "opens"] == [
        (50, True)
    ]
    for wrong in ({"value": "many"}, {"parameter": "nothing"}, {"rule": "X1"}, {"value": 10**30}):
        assert manager.post("/api/v1/policies/overrides", json={**wanted, **wrong}).status_code == 422
    assert manager.post("/api/v1/policies/overrides", json={**wanted, "scope": "E9"}).status_code == 404
    assert hub.caller(Role.VIEWER).post("/api/v1/policies/overrides", json=wanted).status_code == 403
    assert hub.caller(Role.MANAGER, "B1").post("/api/v1/policies/overrides", json=wanted).status_code == 403
    number = made.json()["id"]
    ended = manager.post(f"/api/v1/policies/overrides/{number}/end", json={"reason": "over"})
    assert ended.json()["ended_by"].startswith("token:")
    assert manager.get("/api/v1/policies/overrides").json() == []
    assert len(manager.get("/api/v1/policies/overrides", params={"ended": True}).json()) == 1


@pytest.mark.integration
def test_what_if_runs_beside_the_hub_and_says_what_would_vanish(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    (raised,) = manager.get("/api/v1/alerts", params={"rule": "C8"}).json()["items"]
    begun = manager.post("/api/v1/replays", json={"drafts": [C8]})
    assert begun.status_code == 202, begun.text
    assert manager.post("/api/v1/replays", json={}).status_code == 409
    found = finished(manager, begun.json()["id"])
    assert (found["state"], found["error"], found["done"]) == ("done", "", found["of"])
    (rule,) = [rule for rule in found["rules"] if rule["rule"] == "C8"]
    assert (rule["raised"], rule["would_be_raised"], rule["vanishes"]) == (1, 0, 1)
    assert rule["lines"][0]["alert"] == raised["id"]
    elsewhere = hub.caller(Role.MANAGER, "B7").get(f"/api/v1/replays/{found['id']}").json()
    assert all(rule["raised"] == 0 and not rule["lines"] for rule in elsewhere["rules"])
    same = finished(manager, manager.post("/api/v1/replays", json={}).json()["id"])
    assert all(rule["changed"] == rule["new"] == rule["vanishes"] == 0 for rule in same["rules"])
    assert [found["state"] for found in manager.get("/api/v1/replays").json()] == ["done", "done"]


@pytest.mark.integration
def test_a_draft_that_cannot_be_is_refused_and_a_replay_can_be_stopped(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    assert manager.post("/api/v1/replays", json={"drafts": [{**C8, "value": -1}]}).status_code == 422
    assert manager.post("/api/v1/replays", json={"pack": "pack: [", "drafts": []}).status_code == 422
    backwards = {"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    assert manager.post("/api/v1/replays", json=backwards).status_code == 422
    number = manager.post("/api/v1/replays", json={}).json()["id"]
    assert manager.delete(f"/api/v1/replays/{number}").json()["state"] in {"stopped", "done"}
    assert manager.get("/api/v1/replays/99").status_code == 404
