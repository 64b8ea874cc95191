"""Overview, wall and monthly report: figures of what is stored, live, and nobody's name on the wall."""

import io
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

from openpyxl import load_workbook
from playwright.sync_api import Browser, expect
from support.browser import WIDE, Watched, window
from support.site import Site
from support.wait import until

GATEWAY, UNIT = "gw-e2e-0001", "990000-0002-1-302"


def test_a_smoke_alarm_turns_the_overview_red_without_reload(site: Site, watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="概览", exact=True).click()
    expect(page.get_by_test_id("tile-L")).to_contain_text("未确认")
    before = site.api.get("/api/v1/alerts/counts").json()["by_class"]["L"]
    site.smoke(GATEWAY, "smoke-302", UNIT)
    expect(page.get_by_test_id("tile-L").locator("strong")).to_have_text(str(before + 1))
    expect(page.get_by_test_id("plot")).to_contain_text("生命安全")
    page.get_by_test_id("tile-L").click()
    page.wait_for_url("**/alerts?class=L")


def test_the_wall_shows_figures_and_nobody(site: Site, browser: Browser) -> None:
    now = datetime.now(UTC)
    site.api.put("/api/v1/recipients/值班台", json={"channel": "json://127.0.0.1:9"})
    shift = {"recipient": "值班台", "begin": now.isoformat(), "end": (now + timedelta(hours=30)).isoformat()}
    assert site.api.post("/api/v1/duty", json=shift).status_code == 201
    site.smoke(GATEWAY, "smoke-302", UNIT)
    until(lambda: site.alerts(rule="L1"), what="the alarm")
    answers: list[str] = []
    with window(browser, site.address, size=(1920, 1080)) as opened:
        page = opened.page
        page.goto(site.link("wang", "viewer"))
        page.wait_for_url("**/alerts")
        page.on("response", lambda answer: answers.append(answer.text()) if "/api/v1/overview" in answer.url else None)
        page.goto("/wall")
        wall = page.get_by_test_id("wall")
        expect(wall.get_by_test_id("tile-L")).to_be_visible()
        expect(wall.get_by_test_id("plot")).to_have_count(1)
        expect(wall.get_by_test_id("duty")).to_contain_text("值班台")
        expect(wall.get_by_test_id("duty")).not_to_contain_text("空缺")
        expect(page.get_by_role("navigation")).to_have_count(0)
        shown = wall.inner_text()
        html = page.content()
        title = page.title()
    units = [unit["code"] for unit in site.api.get("/api/v1/units").json()["items"]]
    people = ["张", "李四", "房东", "138", "p-zhang", "p-li"]
    for code in units:
        assert not re.search(rf"(?<!\d){code.rsplit('-', 1)[1]}(?!\d)", shown)
    for secret in (*units, *people):
        assert secret not in shown
        assert secret not in title
    assert answers
    for secret in (*units, *people):
        assert secret not in html
        assert not any(secret in answer for answer in answers)


def test_the_report_counts_what_is_stored_and_the_same_again(site: Site, watched: Watched) -> None:
    site.smoke(GATEWAY, "smoke-302", UNIT)
    [alert] = until(lambda: site.alerts(rule="L1", unit=UNIT, state="open"), what="the alarm")
    answer = site.api.post(f"/api/v1/alerts/{alert['id']}/resolve", json={"outcome": "false", "cause": "cooking"})
    assert answer.status_code == 200, answer.text
    page = watched.page
    page.get_by_role("link", name="月报", exact=True).click()
    expect(page.get_by_test_id("classes")).to_be_visible()

    events, after = Counter(), "0"
    while after:
        found = site.api.get("/api/v1/events", params={"limit": "500", "after": after}).json()
        events.update(event["kind"] for event in found["items"])
        after = found["next"]
    as_of = datetime.now(UTC).isoformat()
    report, again = (site.api.get("/api/v1/report", params={"as_of": as_of}).json() for _ in range(2))
    assert report == again
    assert {found["kind"]: found["stored"] for found in report["events"]} == dict(events)
    alerts = site.alerts(state="all")
    by_class = Counter(found["alert_class"] for found in alerts)
    assert {found["alert_class"]: found["opened"] for found in report["classes"] if found["opened"]} == {
        None: len(alerts), **by_class
    }  # fmt: skip
    false = sum(found["outcome"] == "false" for found in alerts)
    assert report["classes"][0]["false"] == false > 0

    page.reload()
    expect(page.get_by_test_id("key-opened")).to_have_text(str(len(alerts)))
    expect(page.get_by_test_id("classes").get_by_role("row", name="生命安全")).to_contain_text("100.0%")
    with page.expect_download() as taken:
        page.get_by_test_id("xlsx").click()
    book = load_workbook(io.BytesIO(taken.value.path().read_bytes()))
    heads, first, *_ = book["预警（按类别）"].iter_rows(values_only=True)
    assert dict(zip(heads, first, strict=True))["新增预警"] == len(alerts)
    with page.expect_download() as taken:
        page.get_by_test_id("pdf").click()
    assert taken.value.path().read_bytes().startswith(b"%PDF")
    papers = [site.api.get("/api/v1/report/file", params={"as_of": as_of, "format": "pdf"}).content for _ in range(2)]
    assert papers[0] == papers[1]
    sheets = [site.api.get("/api/v1/report/file", params={"as_of": as_of, "format": "xlsx"}).content for _ in range(2)]
    assert sheets[0] == sheets[1]
    assert load_workbook(io.BytesIO(sheets[0])).sheetnames == book.sheetnames
    trail = site.api.get("/api/v1/audit", params={"action": "report.export"}).json()["items"]
    assert {entry["actor"] for entry in trail} >= {"user:zhangsan"}


def test_a_scope_that_is_not_there_is_told(browser: Browser, site: Site) -> None:
    with window(browser, site.address, size=WIDE) as opened:
        # The refusal itself is a line on the browser's console.
        opened.tolerated = ("404",)
        opened.page.goto(site.link("wang", "viewer"))
        opened.page.wait_for_url("**/alerts")
        for path in ("/report?scope=elsewhere", "/overview?scope=elsewhere"):
            opened.page.goto(path)
            expect(opened.page.get_by_role("alert").filter(has_text="elsewhere")).to_be_visible()
