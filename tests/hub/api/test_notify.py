"""Who is told, over the API: channels stay secret, a test goes to a real receiver, duty and one's own wishes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.api import Hub, running_api
from support.webhook import webhook

from hub.access.roles import Role

pytestmark = [
    pytest.mark.integration,
    # One of the plugins of apprise, all of which it loads at once, still imports imghdr.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]
WISHES = {"classes": "LS", "least_severity": "P1", "quiet_from": "21:00", "quiet_to": "08:00"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_api(tmp_path) as running:
        yield running


@pytest.mark.parametrize("status", [200, 500])
def test_a_recipient_is_kept_and_tested_and_its_address_never_shown(hub: Hub, status: int) -> None:
    manager = hub.caller(Role.MANAGER)
    with webhook(status) as server:
        saved = manager.put("/api/v1/recipients/wang", json={"channel": server.address, **WISHES})
        assert saved.status_code == 200, saved.text
        assert (saved.json()["service"], saved.json()["classes"]) == ("json", "LS")
        tested = manager.post("/api/v1/recipients/wang/test").json()
    assert tested["is_sent"] == (status == 200)
    assert ("500" in tested["error"]) == (status == 500)
    assert server.bodies[0]["title"] == "安房：测试消息"
    assert "hook-secret" not in saved.text + str(tested) + manager.get("/api/v1/recipients").text
    changed = manager.put("/api/v1/recipients/wang", json={"language": "en"})
    assert (changed.json()["service"], changed.json()["language"]) == ("json", "en")


def test_what_cannot_be_is_refused_in_words(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    assert "apprise" in manager.put("/api/v1/recipients/a", json={"channel": "nonsense://x"}).json()["detail"]
    assert "channel" in manager.put("/api/v1/recipients/a", json={}).json()["detail"]
    assert manager.post("/api/v1/recipients/nobody/test").status_code == 404
    assert hub.caller(Role.VIEWER).get("/api/v1/recipients").status_code == 403


def test_somebody_signed_in_sets_their_own_wishes_and_a_program_has_none(hub: Hub) -> None:
    browser = hub.signed_in("zhangsan", Role.VIEWER)
    assert browser.get("/api/v1/me/notifications").json() is None
    with webhook() as server:
        assert browser.put("/api/v1/me/notifications", json={"channel": server.address}).json()["name"] == "zhangsan"
        assert browser.post("/api/v1/me/notifications/test").json()["is_sent"]
    assert browser.put("/api/v1/recipients/other", json={"channel": "json://127.0.0.1/"}).status_code == 403
    assert hub.caller(Role.MANAGER).get("/api/v1/me/notifications").status_code == 404


def test_duty_is_kept_in_a_roster(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    begin = hub.clock.now() - timedelta(hours=1)
    shift = {"recipient": "wang", "begin": begin.isoformat(), "end": (begin + timedelta(hours=8)).isoformat()}
    assert manager.post("/api/v1/duty", json=shift).status_code == 404
    manager.put("/api/v1/recipients/wang", json={"channel": "json://127.0.0.1:1/"})
    made = manager.post("/api/v1/duty", json=shift | {"level": 1})
    assert made.status_code == 201
    assert [found["level"] for found in hub.caller(Role.VIEWER).get("/api/v1/duty").json()] == [1]
    assert manager.post("/api/v1/duty", json=shift | {"end": shift["begin"]}).status_code == 422
    scoped = hub.caller(Role.MANAGER, "B1")
    assert scoped.post("/api/v1/duty", json=shift).status_code == 403
    assert scoped.delete(f"/api/v1/duty/{made.json()['id']}").status_code == 404
    assert manager.delete(f"/api/v1/duty/{made.json()['id']}").status_code == 204
    assert manager.get("/api/v1/duty").json() == []
    assert manager.delete("/api/v1/recipients/wang").status_code == 204
