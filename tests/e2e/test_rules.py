"""Rules: their numbers with sources, and what-if: try another number on the past, see what it does, then save it."""

import json

import pytest
from playwright.sync_api import Page, expect
from support.browser import Watched
from support.site import Site
from support.wait import until

GATEWAY, UNIT, OTHER = "gw-e2e-0001", "990000-0002-1-201", "990000-0002-1-301"


def battery(site: Site, device: str, unit: str, pct: float) -> None:
    site.publish(GATEWAY, {"device": device, "unit": unit, "kind": "device.health", "data": {"battery_pct": pct}})


def try_low(page: Page, pct: str) -> None:
    page.goto("/policies/try?rule=T3&parameter=low_pct")
    page.get_by_label("取值").fill(pct)
    page.get_by_test_id("run").click()


def test_every_number_has_words_and_a_source(site: Site, watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="规则", exact=True).click()
    expect(page.get_by_test_id("rule-L1")).to_be_visible()
    names = {parameter["name"] for rule in site.api.get("/api/v1/policies").json() for parameter in rule["parameters"]}
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    said = page.locator("main").inner_text().split()
    assert not [name for name in names if name in said]
    expect(page.get_by_test_id("parameter-C5-due_workdays")).to_contain_text("3 个工作日")
    page.get_by_role("searchbox").fill("烟雾")
    expect(page.get_by_test_id("rule-L1")).to_be_visible()
    expect(page.get_by_test_id("rule-T3")).to_have_count(0)


def test_a_number_is_tried_on_the_past_and_then_saved(site: Site, watched: Watched) -> None:
    battery(site, "lock-201", UNIT, 15)
    until(lambda: site.alerts(rule="T3"), what="the alert of a low battery")
    page = watched.page
    try_low(page, "12")
    outcome = page.get_by_test_id("outcome")
    expect(outcome.get_by_test_id("sum")).to_contain_text("消失 1", timeout=60_000)
    expect(outcome.get_by_test_id("line-vanishes")).to_contain_text("测试小区1幢 201")
    # Trying changes nothing.
    assert site.api.get("/api/v1/policies/overrides").json() == []
    assert site.alerts(rule="T3")

    save = page.get_by_test_id("save")
    save.click()
    expect(page.get_by_test_id("save-form").get_by_role("alert")).to_contain_text("理由")
    page.get_by_label("为什么改").fill("本小区统一在 12% 时更换")
    # Another number than the one that was tried cannot be saved unseen; and what was typed stays.
    page.get_by_label("取值").fill("13")
    expect(save).to_be_disabled()
    expect(page.get_by_test_id("save-form").get_by_role("alert")).to_contain_text("重新试算")
    page.get_by_label("取值").fill("12")
    expect(page.get_by_label("为什么改")).to_have_value("本小区统一在 12% 时更换")
    save.click()

    page.wait_for_url("**/policies")
    row = page.get_by_test_id("overrides").get_by_role("row", name="T3")
    expect(row).to_contain_text("12%")
    expect(row).to_contain_text("本小区统一在 12% 时更换")
    [held] = site.api.get("/api/v1/policies/overrides").json()
    assert (held["rule"], held["parameter"], held["value"], held["set_by"]) == ("T3", "low_pct", 12, "user:zhangsan")
    [entry] = site.api.get("/api/v1/audit", params={"action": "policy.set"}).json()["items"]
    assert entry["reason"] == "本小区统一在 12% 时更换"

    # It holds: 15 % is no longer low, 11 % is.
    battery(site, "lock-301", OTHER, 15)
    battery(site, "lock-301", OTHER, 11)
    [alert] = until(lambda: site.alerts(rule="T3", unit=OTHER), what="an alert below the new limit")
    detail = site.api.get(f"/api/v1/alerts/{alert['id']}").json()
    [limit] = [found for found in detail["parameters"] if found["name"] == "low_pct"]
    assert (limit["value"], limit["overridden_by"]) == (12, "user:zhangsan")
    assert "11%" in json.dumps(detail["facts"])

    row.get_by_role("button", name="恢复").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="确认").click()
    expect(dialog.get_by_role("alert")).to_contain_text("理由")
    dialog.get_by_label("理由").fill("试点结束，恢复规则包")
    dialog.get_by_role("button", name="确认").click()
    expect(page.get_by_text("尚未另行设定")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [("abc", "请输入数字"), ("12.5", "请输入整数"), ("0", "应在"), ("", "请填写此项"), ("20", "与现值相同")],
)
def test_a_value_that_cannot_be_is_told_beside_its_field(watched: Watched, typed: str, wrong: str) -> None:
    page = watched.page
    try_low(page, typed)
    expect(page.get_by_test_id("draft-0").get_by_role("alert")).to_contain_text(wrong)
    expect(page.get_by_label("取值")).to_have_value(typed)
    expect(page.get_by_label("取值")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("outcome")).to_have_count(0)


def test_own_dates_must_follow_one_another(watched: Watched) -> None:
    page = watched.page
    page.goto("/policies/try?rule=T3&parameter=low_pct")
    page.get_by_label("取值").fill("14")
    page.get_by_label("自选").check()
    page.get_by_label("起", exact=True).fill("2026-05-02")
    page.get_by_label("止", exact=True).fill("2026-05-01")
    page.get_by_test_id("run").click()
    expect(page.get_by_text("起始日期应早于结束日期")).to_be_visible()
    expect(page.get_by_label("起", exact=True)).to_have_value("2026-05-02")
