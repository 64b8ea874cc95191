"""The registry over the API: a table is looked at, mended and brought in; tenancies are kept by hand."""

import base64
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from sqlmodel import select
from support.api import Hub, running_api
from support.small_registry import seed

from hub.access.roles import Role
from hub.store.tables.access import AuditEntry

HEADERS = "楼栋,房号,租客姓名,证件类型,证件号码,手机号,起租日,到租日,民族\n"
GOOD = "3幢,501,张三,身份证,990000199001010017,13800001234,2026-01-01,不定期,汉\n"
BAD = "3幢,502,李四,身份证,990000199001010018,,明天,,\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_api(tmp_path) as running:
        yield running


def table(text: str, **more: Any) -> dict[str, Any]:
    content = base64.b64encode(text.encode()).decode()
    return {"name": "a.csv", "content": content, "estate": "330702-0001", "jurisdiction": "330702", **more}


def test_a_table_is_looked_at_mended_and_brought_in(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    seen = manager.post("/api/v1/registry/import", json=table(HEADERS + GOOD + BAD)).json()
    assert (seen["is_applied"], seen["refused"], seen["dropped"]) == (False, 1, ["民族"])
    assert seen["results"][0]["does"] == "refused"
    faults = {(fault["column"], fault["value"]) for fault in seen["faults"]}
    assert faults == {("证件号码", "990000199001010018"), ("起租日", "明天")}
    refused = manager.post("/api/v1/registry/import", json=table(HEADERS + GOOD + BAD, apply=True)).json()
    assert not refused["is_applied"]
    cells = [
        {"sheet": "CSV", "row": 3, "column": "证件号码", "value": ""},
        {"sheet": "CSV", "row": 3, "column": "起租日", "value": "2026-02-01"},
        {"sheet": "CSV", "row": 3, "column": "房型", "value": "居室"},
    ]
    done = manager.post("/api/v1/registry/import", json=table(HEADERS + GOOD + BAD, apply=True, cells=cells)).json()
    assert (done["is_applied"], done["refused"]) == (True, 0)
    again = manager.post("/api/v1/registry/import", json=table(HEADERS + GOOD + BAD, apply=True, cells=cells)).json()
    assert (again["added"], again["changed"]) == (0, 0)
    assert manager.get("/api/v1/units/330702-0001-3-502").json()["occupants"][0]["person"]["name"] == "李*"


def test_what_cannot_be_read_is_one_clear_problem(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    for body in (
        table("a,b\n1,2\n"),
        table("\ufeff"),
        {**table(""), "content": "!!!"},
        {**table(""), "content": base64.b64encode(b"\xd0\xcf\x11\xe0xls").decode()},
        table(HEADERS + GOOD, cells=[{"sheet": "CSV", "row": 99, "column": "房号", "value": "1"}]),
    ):
        answer = manager.post("/api/v1/registry/import", json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:anfang:problem:invalid")


def test_a_manager_of_one_building_brings_in_only_that_one(hub: Hub) -> None:
    scoped = hub.caller(Role.MANAGER, "330702-0001-5")
    answer = scoped.post("/api/v1/registry/import", json=table(HEADERS + GOOD)).json()
    assert "范围" in answer["faults"][0]["message"]
    assert scoped.post("/api/v1/registry/import", json=table("", estate="X")).status_code == 403
    assert hub.caller(Role.VIEWER).post("/api/v1/registry/import", json=table(HEADERS)).status_code == 403


def sheet(answer: httpx.Response) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)]


def test_files_come_out_with_masks_and_without_formulas(hub: Hub) -> None:
    manager = hub.caller(Role.MANAGER)
    evil = GOOD.replace("张三", "+HYPERLINK(1)")
    manager.post("/api/v1/registry/import", json=table(HEADERS + evil, apply=True))
    assert "楼栋" in sheet(manager.get("/api/v1/registry/template"))[0]
    assert sheet(manager.post("/api/v1/registry/import/report", json=table(HEADERS + BAD)))[1][2].startswith("拒绝")
    masked = str(sheet(manager.post("/api/v1/registry/export", json={})))
    assert "HYPERLINK" not in masked
    assert manager.post("/api/v1/registry/export", json={"reveal": True}).status_code == 422
    opened = manager.post("/api/v1/registry/export", json={"reveal": True, "reason": "court order", "format": "csv"})
    assert opened.content.startswith(b"\xef\xbb\xbf")
    assert ",'+HYPERLINK(1)," in opened.text
    assert hub.caller(Role.VIEWER).post("/api/v1/registry/export", json={}).status_code == 403
    with hub.database.read() as session:
        actions = [row.action for row in session.exec(select(AuditEntry))]
    assert actions == ["registry.import", "registry.export", "registry.export.revealed"]


def test_a_tenancy_is_kept_by_hand_from_check_in_to_check_out(hub: Hub) -> None:
    seed(hub)
    manager = hub.caller(Role.MANAGER)
    today = hub.clock.now().date()
    began = str(today - timedelta(days=30))
    form = {
        "start": began,
        "residents": [
            {"name": "张三", "phone": "13800001234", "document": "990000199001010017", "card": "0001701559"},
            {"name": "李四", "role": "co_occupant", "family": True},
        ],
    }
    came = manager.post("/api/v1/units/B1-101/check-in", json=form)
    assert came.status_code == 201, came.text
    unit = came.json()
    assert (unit["state"], unit["registered_count"], unit["credentials"][0]["mask"]) == ("let", 2, "****1559")
    assert manager.post("/api/v1/units/B1-101/check-in", json=form).status_code == 422
    person = unit["leases"][0]["tenant"]["code"]
    filed = {"kind": "residence", "filed_on": began, "person": person}
    unit = manager.post("/api/v1/units/B1-101/filings", json=filed).json()
    assert [o["residence_registered_on"] for o in unit["occupants"] if o["person"]["code"] == person] == [began]
    guest = {"name": "赵六", "start": str(today), "until": str(today)}
    assert manager.post("/api/v1/units/B1-101/guests", json=guest).json()["registered_count"] == 3
    booking = {"purpose": "repair", "begin": "2026-11-24T09:00:00Z", "end": "2026-11-24T08:00:00Z"}
    assert manager.post("/api/v1/units/B1-101/bookings", json=booking).status_code == 422
    booking["end"] = "2026-11-24T10:00:00Z"
    assert manager.post("/api/v1/units/B1-101/bookings", json=booking).status_code == 201
    lease = unit["leases"][0]["code"]
    late = {"lease": lease, "ended_on": "2100-01-01"}
    assert manager.post("/api/v1/units/B1-101/check-out", json=late).status_code == 422
    gone = manager.post("/api/v1/units/B1-101/check-out", json={"lease": lease, "ended_on": str(today)}).json()
    assert gone["leases"][0]["ended_on"] == str(today)
    assert gone["credentials"][0]["valid_to"] is not None


def test_rooms_that_are_let_singly_have_tenancies_of_their_own(hub: Hub) -> None:
    seed(hub)
    manager = hub.caller(Role.MANAGER)
    for room, name in (("B1-102:主卧", "张三"), ("B1-102:次卧", "李四")):
        form = {"start": "2025-01-01", "room": room, "residents": [{"name": name}]}
        assert manager.post("/api/v1/units/B1-102/check-in", json=form).status_code == 201
    unit = manager.get("/api/v1/units/B1-102").json()
    assert len(unit["leases"]) == 2
    form = {"start": "2026-01-01", "room": "B1-102:厨房", "residents": [{"name": "王"}]}
    assert "不存在" in manager.post("/api/v1/units/B1-102/check-in", json=form).json()["detail"]


def test_a_household_that_does_not_want_to_be_counted_is_not(hub: Hub) -> None:
    seed(hub)
    manager = hub.caller(Role.MANAGER)
    assert manager.put("/api/v1/units/B1-101/counting", json={"opted_out": True}).json()["counting_opt_out"]
    assert not manager.put("/api/v1/units/B1-101/counting", json={"opted_out": False}).json()["counting_opt_out"]
    assert manager.put("/api/v1/units/B1-999/counting", json={"opted_out": True}).status_code == 404
