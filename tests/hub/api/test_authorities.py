"""Requests of authorities: one person enters them, another decides, and all of it stands in the audit trail (P12)."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from support.api import Hub

from hub.access.roles import Role

PURPOSE = {"X-Purpose": "authority_request"}
FORM: dict[str, Any] = {
    "authority": "示例派出所", "document_no": "示公调字〔2026〕1号", "asked_on": "2025-01-02",
    "legal_basis": "刑事诉讼法第54条", "scope": "1幢101室 1月1日门锁记录",
}  # fmt: skip


def entered(browser: httpx.Client, **change: Any) -> httpx.Response:
    return browser.post("/api/v1/authority-requests", json=FORM | change, headers=PURPOSE)


def decided(browser: httpx.Client, number: int, **body: Any) -> httpx.Response:
    return browser.post(f"/api/v1/authority-requests/{number}/decide", json=body, headers=PURPOSE)


def test_a_request_waits_until_another_person_decides_and_says_why(hub: Hub) -> None:
    manager, admin = hub.signed_in("zhangsan", Role.MANAGER), hub.signed_in("lisi", Role.ADMIN)
    answer = entered(manager)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["state"] == "open"
    number = made["id"]
    assert decided(manager, number, is_given=False, decision="不符合法定程序").status_code == 403
    assert decided(admin, number, is_given=False, decision="不").status_code == 422
    assert decided(admin, number, is_given=True, decision="手续齐全").status_code == 422
    given = decided(admin, number, is_given=True, decision="手续齐全", given="1月1日门锁记录 3 条")
    assert given.status_code == 200
    assert given.json()["decided_by"] == "user:lisi"
    assert decided(admin, number, is_given=False, decision="改变主意").status_code == 422
    trail = admin.get("/api/v1/audit", params={"action": "authority.decide"}).json()["items"]
    assert [line["detail"] for line in trail] == ["示例派出所 示公调字〔2026〕1号 given"]
    assert [row["state"] for row in manager.get("/api/v1/authority-requests", headers=PURPOSE).json()["items"]] == [
        "given"
    ]


def test_looking_at_the_list_is_a_line_in_the_trail(hub: Hub) -> None:
    manager, admin = hub.signed_in("zhangsan", Role.MANAGER), hub.signed_in("lisi", Role.ADMIN)
    manager.get("/api/v1/authority-requests", headers=PURPOSE)
    [entry] = admin.get("/api/v1/audit", params={"action": "authority.read"}).json()["items"]
    assert (entry["actor"], entry["purpose"]) == ("user:zhangsan", "authority_request")


def test_nobody_decides_what_they_entered_themselves(hub: Hub) -> None:
    admin = hub.signed_in("lisi", Role.ADMIN)
    refused = decided(admin, entered(admin).json()["id"], is_given=False, decision="范围过宽")
    assert refused.status_code == 422
    assert "somebody else" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"authority": " "}, "authority"), ({"document_no": ""}, "document_no"), ({"scope": "全"}, "scope"), ({"asked_on": "soon"}, "asked_on")],
)  # fmt: skip
def test_a_paper_without_its_words_is_refused_by_name(hub: Hub, change: dict[str, Any], field: str) -> None:
    refused = entered(hub.signed_in("zhangsan", Role.MANAGER), **change)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_a_paper_of_a_day_to_come_and_an_unknown_unit_are_refused(hub: Hub) -> None:
    manager = hub.signed_in("zhangsan", Role.MANAGER)
    tomorrow = str((hub.clock.now() + timedelta(days=2)).date())
    assert entered(manager, asked_on=tomorrow).status_code == 422
    unknown = entered(manager, unit="B9-999")
    assert unknown.status_code == 422
    assert unknown.json()["detail"].startswith("unit: 台账中没有此房屋 / ")


def test_the_purpose_has_to_be_named(hub: Hub) -> None:
    manager = hub.signed_in("zhangsan", Role.MANAGER)
    refused = manager.post("/api/v1/authority-requests", json=FORM, headers={"X-Purpose": "maintenance"})
    assert refused.status_code == 403
