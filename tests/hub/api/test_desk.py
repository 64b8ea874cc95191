"""Saved views are a person's own; alerts are given to those who may act on them."""

from support.api import Hub

from hub.access.roles import Role


def test_a_view_is_kept_replaced_by_its_name_and_deleted(hub: Hub) -> None:
    browser = hub.signed_in()
    assert browser.get("/api/v1/views").json() == []
    first = browser.post("/api/v1/views", json={"name": "夜班", "query": "class=L"}).json()
    again = browser.post("/api/v1/views", json={"name": " 夜班 ", "query": "class=L&overdue=1"}).json()
    assert again["id"] == first["id"]
    assert browser.get("/api/v1/views").json() == [again]
    assert browser.delete(f"/api/v1/views/{first['id']}").status_code == 204
    assert browser.get("/api/v1/views").json() == []


def test_nobody_sees_or_deletes_the_view_of_another(hub: Hub) -> None:
    made = hub.signed_in("zhangsan").post("/api/v1/views", json={"name": "mine", "query": ""}).json()
    other = hub.signed_in("lisi")
    assert other.get("/api/v1/views").json() == []
    assert other.delete(f"/api/v1/views/{made['id']}").status_code == 404


def test_a_program_has_no_views_and_a_name_is_needed(hub: Hub) -> None:
    assert hub.caller().post("/api/v1/views", json={"name": "x", "query": ""}).status_code == 422
    refused = hub.signed_in().post("/api/v1/views", json={"name": " ", "query": ""})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "name"


def test_there_is_an_end_to_views(hub: Hub) -> None:
    browser = hub.signed_in()
    answers = [browser.post("/api/v1/views", json={"name": f"v{n}", "query": ""}).status_code for n in range(31)]
    assert answers == [201] * 30 + [422]


def test_colleagues_are_those_who_may_act(hub: Hub) -> None:
    hub.user("lisi", Role.GRID_WORKER, "a-1")
    hub.user("wangwu", Role.VIEWER)
    browser = hub.signed_in("zhangsan")
    assert [found["name"] for found in browser.get("/api/v1/colleagues").json()] == ["lisi", "zhangsan"]
