"""Periods, holds and erasure over the API: bounds, reasons, and the audit trail."""

from datetime import timedelta

from support.api import Hub
from support.small_registry import seed

from hub.access.roles import Role


def test_the_periods_come_with_their_words_and_defaults(hub: Hub) -> None:
    found = hub.caller().get("/api/v1/retention").json()
    fine = next(each for each in found["periods"] if each["period"] == "counts_fine")
    assert (fine["days"], fine["default_days"], fine["is_weaker"], fine["set_by"]) == (7, 7, False, None)
    assert fine["title"]["zh"]
    assert fine["title"]["en"]
    assert (found["holds"], found["runs"]) == ([], [])


def test_a_longer_time_is_a_weakening_and_the_trail_says_so(hub: Hub) -> None:
    admin = hub.caller()
    body = {"days": 60, "reason": "争议待决"}
    changed = admin.put("/api/v1/retention/periods/counts_fine", json=body).json()
    assert (changed["days"], changed["is_weaker"], changed["reason"]) == (60, True, "争议待决")
    trail = admin.get("/api/v1/audit").json()["items"]
    line = next(each for each in trail if each["action"] == "retention.weakened")
    assert (line["subject"], line["detail"], line["reason"]) == ("counts_fine", "7 -> 60 days", "争议待决")


def test_a_time_out_of_bounds_is_refused_with_the_bounds(hub: Hub) -> None:
    answer = hub.caller().put("/api/v1/retention/periods/audit", json={"days": 30, "reason": "too long"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "between 180 and 3650 days"


def test_only_administrators_set_periods_and_holds(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    assert manager.get("/api/v1/retention").status_code == 200
    assert manager.put("/api/v1/retention/periods/doors", json={"days": 1, "reason": "no"}).status_code == 403
    assert manager.post("/api/v1/people/p1/erase", json={"reason": "asked"}).status_code == 403


def test_a_hold_begins_ends_and_is_audited(hub: Hub) -> None:
    admin = hub.caller()
    until = (hub.clock.now() + timedelta(days=90)).isoformat()
    body = {"unit_code": "B1-1-101", "reason": "案号 1", "expires_at": until}
    made = admin.post("/api/v1/retention/holds", json=body)
    assert made.status_code == 201
    assert [each["unit_code"] for each in admin.get("/api/v1/retention").json()["holds"]] == ["B1-1-101"]
    path = f"/api/v1/retention/holds/{made.json()['id']}"
    assert admin.delete(path).status_code == 204
    assert admin.delete(path).status_code == 404
    past = {**body, "expires_at": (hub.clock.now() - timedelta(days=1)).isoformat()}
    assert admin.post("/api/v1/retention/holds", json=past).json()["errors"][0]["field"] == "expires_at"
    actions = {each["action"] for each in admin.get("/api/v1/audit").json()["items"]}
    assert {"retention.hold", "retention.hold_ended"} <= actions


def test_erasure_names_its_purpose_and_an_unknown_person_is_not_found(hub: Hub) -> None:
    admin = hub.caller()
    assert admin.post("/api/v1/people/nobody/erase", json={"reason": "asked"}).json()["type"].endswith(":purpose")
    asked = {"X-Purpose": "subject_request"}
    assert admin.post("/api/v1/people/nobody/erase", json={"reason": "asked"}, headers=asked).status_code == 404


def test_a_person_gets_a_copy_in_full_and_that_is_audited(hub: Hub) -> None:
    seed(hub)
    admin = hub.caller()
    today = str(hub.clock.now().date())
    form = {"start": today, "residents": [{"name": "张三", "phone": "13800001234", "card": "0001701559"}]}
    unit = admin.post("/api/v1/units/B1-101/check-in", json=form).json()
    tenant = unit["leases"][0]["tenant"]["code"]
    asked = {"X-Purpose": "subject_request"}
    found = admin.post(f"/api/v1/people/{tenant}/copy", json={"reason": "asked"}, headers=asked)
    assert found.status_code == 200, found.text
    copy = found.json()
    assert (copy["person"][0]["name"], copy["person"][0]["phone"]) == ("张三", "13800001234")
    assert (len(copy["stays"]), len(copy["leases"]), copy["credentials"][0]["mask"]) == (1, 1, "****1559")
    assert "hmac:" not in found.text
    assert hub.caller(Role.MANAGER).post(f"/api/v1/people/{tenant}/copy", json={"reason": "asked"}).status_code == 403
    assert "pii.copy" in {each["action"] for each in admin.get("/api/v1/audit").json()["items"]}
