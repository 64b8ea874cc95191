import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select
from support.api import PASSWORD, Hub

from hub.access.credentials import SESSION_IDLE, new_sign_in_link
from hub.access.roles import Role
from hub.store.tables.access import ApiToken, UserSession


def test_a_signed_in_browser_is_known_by_a_cookie_that_scripts_cannot_read(hub: Hub) -> None:
    hub.user()
    browser = hub.client()
    answer = browser.post("/api/v1/session", json={"name": "zhangsan", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.get("/api/v1/session").json()["name"] == "zhangsan"


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(hub: Hub) -> None:
    hub.user()
    wrong = hub.client().post("/api/v1/session", json={"name": "zhangsan", "password": "no"})
    unknown = hub.client().post("/api/v1/session", json={"name": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_after_five_wrong_tries_even_the_right_password_waits(hub: Hub) -> None:
    hub.user()
    for _ in range(5):
        assert hub.client().post("/api/v1/session", json={"name": "zhangsan", "password": "no"}).status_code == 401
    right = {"name": "zhangsan", "password": PASSWORD}
    waiting = hub.client().post("/api/v1/session", json=right)
    assert waiting.status_code == 429
    assert 0 < int(waiting.headers["retry-after"]) <= 31
    asyncio.run(hub.advance(31))
    assert hub.client().post("/api/v1/session", json=right).status_code == 200


def test_a_cookie_alone_cannot_write(hub: Hub) -> None:
    browser = hub.signed_in(role=Role.ADMIN)
    new = {"name": "lisi", "role": "viewer"}
    del browser.headers["X-CSRF-Token"]
    refused = browser.post("/api/v1/users", json=new)
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:anfang:problem:csrf"
    browser.headers["X-CSRF-Token"] = browser.get("/api/v1/session").json()["csrf"]
    assert browser.post("/api/v1/users", json=new, headers={"Origin": "http://evil.example"}).status_code == 403
    assert browser.post("/api/v1/users", json=new).status_code == 201


def test_signing_out_ends_the_session_on_the_hub(hub: Hub) -> None:
    browser = hub.signed_in()
    stolen = dict(browser.cookies)
    assert browser.delete("/api/v1/session").status_code == 204
    thief = hub.client()
    thief.cookies.update(stolen)
    assert thief.get("/api/v1/session").status_code == 204


def test_an_idle_session_ends(hub: Hub) -> None:
    browser = hub.signed_in()
    asyncio.run(hub.advance(SESSION_IDLE.total_seconds() / 2))
    assert browser.get("/api/v1/session").status_code == 200
    asyncio.run(hub.advance(SESSION_IDLE.total_seconds() / 2 + 60))
    assert browser.get("/api/v1/session").status_code == 200, "a look in between keeps it alive"
    asyncio.run(hub.advance(SESSION_IDLE.total_seconds() + 60))
    assert browser.get("/api/v1/session").status_code == 204
    assert browser.get("/api/v1/alerts").status_code == 401


def test_a_sign_in_link_works_once(hub: Hub) -> None:
    user = hub.user()
    with hub.database.write() as session:
        secret = new_sign_in_link(session, user, hub.clock.now())
    browser = hub.client()
    assert browser.post("/api/v1/session/link", json={"secret": secret}).status_code == 200
    assert browser.get("/api/v1/session").status_code == 200
    assert hub.client().post("/api/v1/session/link", json={"secret": secret}).status_code == 403


def test_an_old_sign_in_link_does_not_work(hub: Hub) -> None:
    user = hub.user()
    with hub.database.write() as session:
        secret = new_sign_in_link(session, user, hub.clock.now())
    asyncio.run(hub.advance(1801))
    assert hub.client().post("/api/v1/session/link", json={"secret": secret}).status_code == 403


def test_the_database_holds_no_secret_in_clear(hub: Hub) -> None:
    browser = hub.signed_in()
    token = hub.token()
    with hub.database.read() as session:
        stored = [row.token_hash for row in session.exec(select(ApiToken))]
        stored += [row.id_hash for row in session.exec(select(UserSession))]
    assert token not in stored
    assert browser.cookies["anfang_session"] not in stored


def test_an_expired_token_is_unknown(hub: Hub) -> None:
    client = hub.client(Authorization=f"Bearer {hub.token(life=timedelta(days=1))}")
    assert client.get("/api/v1/session").status_code == 200
    asyncio.run(hub.advance(86_401))
    assert client.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic eDp5", "Tenant nope", "nonsense"])
def test_a_broken_authorization_header_is_not_signed_in(hub: Hub, header: str) -> None:
    assert hub.client(Authorization=header).get("/api/v1/session").status_code == 401


def test_the_trail_is_found_by_who_and_when(hub: Hub) -> None:
    hub.signed_in("lisi")
    began = hub.clock.now().isoformat()
    auditor = hub.caller(Role.AUDITOR)

    def found(**query: str) -> list[str]:
        return [line["actor"] for line in auditor.get("/api/v1/audit", params=query).json()["items"]]

    assert found(actor="lisi") == found(actor="user:lisi") == ["user:lisi"]
    assert found(actor="lisi", since=began) == ["user:lisi"]
    assert found(actor="lisi", until=began) == []
    assert auditor.get("/api/v1/audit", params={"since": "yesterday"}).status_code == 422
