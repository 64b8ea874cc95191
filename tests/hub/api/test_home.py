"""A household's own page: what is kept how long, guests, and requests that a person answers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import select
from support.api import Hub, running_api

from hub.access.roles import Role
from hub.registry.personal_data.vault import load_vault
from hub.registry.yaml_import.seed_file import load_text
from hub.store.tables.access import AuditEntry

REGISTRY = """
registry: 1
buildings: [{code: B1, name: 一号楼, gateways: [gw-1]}]
people: [{code: p1, name: 张三, phone: "13800001234"}]
units:
  - code: B1-101
    building: B1
    leases:
      - {code: l1, start: 2025-01-01, end: 2036-01-01, tenant: p1, occupants: [{person: p1, role: tenant}]}
    devices:
      - {gateway: gw-1, device: lock-1, kind: lock}
      - {gateway: gw-1, device: smoke-1, kind: smoke, placement: room}
  - {code: B1-102, building: B1, vacant: true}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_api(tmp_path) as running:
        vault = load_vault(running.services.data_dir)
        with running.database.write() as session:
            load_text(session, REGISTRY, "seed", vault=vault, organisation_key=b"k" * 32, now=running.clock.now())
        yield running


def household(hub: Hub, unit: str = "B1-101") -> httpx.Client:
    made = hub.caller(Role.MANAGER).post(f"/api/v1/units/{unit}/tenant-link").json()
    return hub.client(Authorization=f"Tenant {made['path'].partition('#')[2]}")


def test_each_device_says_how_long_its_words_are_kept(hub: Hub) -> None:
    home = household(hub).get("/api/v1/home").json()
    kept = {device["device"]: [period["days"] for period in device["kept"]] for device in home["devices"]}
    assert kept == {"lock-1": [90, 365, 90], "smoke-1": [1095, 90]}
    hub.caller().put("/api/v1/retention/periods/doors_named", json={"days": 30, "reason": "shorter"})
    again = household(hub).get("/api/v1/home").json()
    assert [period["days"] for period in again["devices"][0]["kept"]] == [30, 365, 90]
    assert [person["person"]["name"] for person in home["people"]] == ["张*"]


def test_a_guest_is_entered_by_the_household_and_masked(hub: Hub) -> None:
    tenant = household(hub)
    today = hub.clock.now().date()
    guest = {"name": "李四", "start": str(today), "until": str(today + timedelta(days=7))}
    made = tenant.post("/api/v1/home/guests", json=guest)
    assert made.status_code == 201, made.text
    assert (made.json()["person"]["name"], made.json()["role"]) == ("李*", "guest")
    assert {person["role"] for person in tenant.get("/api/v1/home").json()["people"]} == {"guest", "tenant"}
    seen = hub.caller(Role.MANAGER).get("/api/v1/units/B1-101").json()
    assert {person["role"] for person in seen["occupants"]} == {"tenant", "guest"}
    for wrong in ({"until": str(today - timedelta(days=1))}, {"until": str(today + timedelta(days=200))}):
        refused = tenant.post("/api/v1/home/guests", json={**guest, **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "until")
    assert tenant.post("/api/v1/home/guests", json={**guest, "phone": "12"}).status_code == 422


def test_ten_guests_are_the_most(hub: Hub) -> None:
    tenant = household(hub)
    today = hub.clock.now().date()
    stay = {"start": str(today), "until": str(today)}
    answers = [tenant.post("/api/v1/home/guests", json={"name": f"客{n}", **stay}).status_code for n in range(11)]
    assert answers == [201] * 10 + [422]


def test_a_request_is_answered_once_and_the_household_reads_the_answer(hub: Hub) -> None:
    tenant, manager = household(hub), hub.caller(Role.MANAGER)
    asked = tenant.post("/api/v1/home/requests", json={"kind": "correction", "words": "手机号已换"}).json()
    [line] = manager.get("/api/v1/requests", params={"state": "open"}).json()["items"]
    assert (line["unit_code"], "words" in line) == ("B1-101", False)
    assert manager.get(f"/api/v1/requests/{asked['id']}").json()["words"] == "手机号已换"
    answer = f"/api/v1/requests/{asked['id']}/answer"
    refused = manager.post(answer, json={"is_done": False, "answer": "no"})
    assert (refused.status_code, "answer" in refused.json()["detail"]) == (422, True)
    assert manager.post(answer, json={"is_done": True, "answer": "已改"}).json()["state"] == "done"
    assert manager.post(answer, json={"is_done": True, "answer": "again"}).status_code == 422
    [mine] = tenant.get("/api/v1/home").json()["requests"]
    assert (mine["state"], mine["answer"]) == ("done", "已改")
    assert tenant.get("/api/v1/home/export").json()["requests"] == [mine]
    with hub.database.read() as session:
        actions = [row.action for row in session.exec(select(AuditEntry).where(AuditEntry.unit_code == "B1-101"))]
    assert [a for a in actions if a.startswith("request")] == ["request.made", "request.read", "request.answer"]


def test_requests_of_other_scopes_are_not_there(hub: Hub) -> None:
    asked = household(hub).post("/api/v1/home/requests", json={"kind": "erasure", "words": "请删除"}).json()
    other = hub.caller(Role.MANAGER, "B1-102")
    assert other.get("/api/v1/requests").json()["items"] == []
    assert other.get(f"/api/v1/requests/{asked['id']}").status_code == 404
    assert other.post(f"/api/v1/requests/{asked['id']}/answer", json={"is_done": True}).status_code == 404
    assert household(hub, "B1-102").get("/api/v1/requests").status_code == 403


def test_a_household_has_ten_open_requests_at_most(hub: Hub) -> None:
    tenant = household(hub)
    body = {"kind": "other", "words": "你好"}
    answers = [tenant.post("/api/v1/home/requests", json=body).status_code for _ in range(11)]
    assert answers == [201] * 10 + [422]


def test_who_is_erased_is_gone_from_requests_too(hub: Hub) -> None:
    tenant, admin = household(hub), hub.caller()
    asked = tenant.post("/api/v1/home/requests", json={"kind": "erasure", "words": "张三 13800001234 请删除"}).json()
    ended = str(hub.clock.now().date() - timedelta(days=1))
    admin.post("/api/v1/units/B1-101/check-out", json={"lease": "l1", "ended_on": ended})
    erased = admin.post(
        "/api/v1/people/p1/erase", json={"reason": "own request"}, headers={"X-Purpose": "subject_request"}
    )
    assert erased.status_code == 200, erased.text
    words = admin.get(f"/api/v1/requests/{asked['id']}").json()["words"]
    assert "张三" not in words
    assert "13800001234" not in words
