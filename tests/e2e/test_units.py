"""Houses: the grid, one unit, and a name that is revealed with a reason."""

import re

from playwright.sync_api import expect
from support.browser import Watched
from support.site import Site

UNIT = "990000-0002-1-302"


def test_the_grid_shows_each_unit_and_leads_to_it(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="房屋", exact=True).click()
    house = page.get_by_test_id("house")
    expect(house.get_by_role("link")).to_have_count(4)
    expect(house.get_by_role("link", name=re.compile("^301，空置"))).to_be_visible()
    expect(house.get_by_role("link", name=re.compile("^201，已到期，登记 1 人"))).to_be_visible()
    house.get_by_role("link", name=re.compile("^302，在租")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("测试小区1幢")
    expect(page.get_by_text("张*").first).to_be_visible()


def test_an_address_is_found_as_people_write_it(watched: Watched) -> None:
    page = watched.page
    page.goto("/units")
    for written in ("1-302", "1幢302室", "302"):
        page.get_by_role("searchbox").fill(written)
        expect(page.get_by_test_id("house").get_by_role("link")).to_have_count(1)
        expect(page.get_by_test_id("house").get_by_role("link", name=re.compile("^302"))).to_be_visible()


def test_a_name_is_revealed_with_a_reason_and_found_in_the_audit_trail(site: Site, watched: Watched) -> None:
    page = watched.page
    page.goto(f"/units/{UNIT}")
    people = page.get_by_test_id("people")
    expect(people).to_contain_text("138****1234")
    expect(people).not_to_contain_text("张三")
    people.get_by_role("button", name="查看").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="查看").click()
    expect(dialog.get_by_role("alert")).to_contain_text("理由")
    dialog.get_by_label("理由").fill("核对居住登记")
    dialog.get_by_role("button", name="查看").click()
    expect(people).to_contain_text("张三")
    expect(people).to_contain_text("13800001234")
    trail = site.api.get("/api/v1/audit", params={"action": "pii.reveal"}).json()["items"]
    assert trail[0]["actor"] == "user:zhangsan"
    assert trail[0]["reason"] == "核对居住登记"
    assert trail[0]["unit_code"] == UNIT
    assert "张三" not in str(trail)


def test_a_reveal_without_a_purpose_is_refused(site: Site) -> None:
    answer = site.api.post(f"/api/v1/units/{UNIT}/people/p-zhang/reveal", json={"reason": "because"})
    assert answer.status_code == 403
    assert answer.json()["type"].endswith(":purpose")


def test_smoke_in_a_known_unit_shows_on_its_page(site: Site, watched: Watched) -> None:
    page = watched.page
    page.goto(f"/units/{UNIT}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    site.smoke("gw-e2e-0001", "smoke-302", UNIT)
    expect(page.get_by_role("link", name="烟雾报警")).to_be_visible()
    page.get_by_role("link", name="烟雾报警").click()
    expect(page.get_by_test_id("evidence")).to_contain_text("smoke-302")
    page.get_by_test_id("ack").click()
    expect(page.get_by_test_id("acked")).to_be_visible()
    expect(page.get_by_test_id("trail")).to_contain_text("zhangsan")
