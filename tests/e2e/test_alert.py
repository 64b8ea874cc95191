"""One alert: given to a colleague, its household's name revealed with a reason, and the filter that is still there."""

from playwright.sync_api import Browser, expect
from support.browser import Watched, window
from support.site import Site
from support.wait import until

UNIT = "990000-0002-1-302"


def forced(site: Site) -> int:
    """A door forced at the unit: the number of its alert."""
    site.publish("gw-e2e-0001", {"device": "lock-302", "unit": UNIT, "kind": "lock.alarm", "data": {"alarm": "forced"}})
    [alert] = until(lambda: [a for a in site.alerts(unit=UNIT) if a["rule"] == "S1"], what="the alert")
    return int(alert["id"])


def test_a_name_is_revealed_from_the_alert_and_stands_in_the_audit_trail(
    browser: Browser, site: Site, watched: Watched
) -> None:
    page = watched.page
    page.goto(f"/alerts/{forced(site)}")
    household = page.get_by_test_id("household")
    household.get_by_role("button", name="显示住户").click()
    expect(household).to_contain_text("张*")
    household.get_by_role("button", name="查看").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("用途")).to_have_value("security")
    dialog.get_by_label("理由").fill("撬锁，电话核实")
    dialog.get_by_role("button", name="查看").click()
    expect(household).to_contain_text("张三")
    assert "张三" not in page.title() + page.url
    with window(browser, site.address) as opened:
        auditor = opened.page
        auditor.goto(site.link("admin", "admin"))
        auditor.wait_for_url("**/alerts")
        auditor.goto("/audit")
        auditor.get_by_test_id("audit-action").select_option("pii.reveal")
        row = auditor.get_by_test_id("audit").get_by_role("row").nth(1)
        expect(row).to_contain_text("zhangsan")
        expect(row).to_contain_text("撬锁，电话核实")
        expect(row).to_contain_text(UNIT)
        expect(auditor.get_by_test_id("audit")).not_to_contain_text("张三")


def test_an_alert_is_given_to_a_colleague_and_found_under_mine(site: Site, watched: Watched) -> None:
    page = watched.page
    number = forced(site)
    page.goto(f"/alerts/{number}")
    page.get_by_role("button", name="指派").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("指派给").select_option("zhangsan")
    dialog.get_by_role("button", name="确认").click()
    expect(page.get_by_test_id("trail")).to_contain_text("指派")
    page.get_by_role("button", name="备注").click()
    dialog.get_by_role("button", name="确认").click()
    expect(dialog.get_by_role("alert")).to_contain_text("请填写此项")
    dialog.get_by_label("说明").fill("已通知房东")
    dialog.get_by_role("button", name="确认").click()
    expect(page.get_by_test_id("trail")).to_contain_text("已通知房东")
    page.goto("/alerts")
    page.get_by_test_id("views").select_option(label="我负责的")
    page.wait_for_url("**/alerts?mine=1")
    expect(page.locator(".line")).to_have_count(1)
    page.locator(".line").get_by_role("link").click()
    page.wait_for_url(f"**/alerts/{number}")
    page.get_by_role("link", name="← 预警").click()
    page.wait_for_url("**/alerts?mine=1")
    expect(page.locator(".line")).to_have_count(1)


def test_a_filter_is_kept_under_a_name(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("级别").select_option("P0")
    page.get_by_label("只看超时").check()
    page.get_by_role("button", name="保存为视图").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_role("alert")).to_contain_text("请填写此项")
    dialog.get_by_label("视图名称").fill("特急超时")
    dialog.get_by_role("button", name="保存").click()
    page.goto("/alerts")
    page.get_by_test_id("views").select_option(label="特急超时")
    page.wait_for_url("**/alerts?severity=P0&overdue=1")
    expect(page.get_by_label("只看超时")).to_be_checked()
    page.get_by_role("button", name="删除此视图").click()
    expect(page.get_by_test_id("views").get_by_role("option", name="特急超时")).to_have_count(0)


def test_life_safety_stands_over_every_screen(site: Site, watched: Watched) -> None:
    page = watched.page
    page.goto("/units")
    expect(page.get_by_test_id("live")).to_contain_text("实时")
    site.smoke("gw-over-all", "smoke-1")
    banner = page.get_by_test_id("life-banner")
    expect(banner).to_be_visible()
    banner.get_by_role("link").click()
    page.wait_for_url("**/alerts?class=L&state=unacknowledged")
    page.get_by_label("全选").check()
    page.get_by_test_id("ack-selected").click()
    expect(banner).to_have_count(0)


def test_a_call_for_help_stands_over_every_screen_as_a_fire_does(site: Site, watched: Watched) -> None:
    page = watched.page
    page.goto("/units")
    expect(page.get_by_test_id("live")).to_contain_text("实时")
    site.publish("gw-e2e-0001", {"device": "help-302", "unit": UNIT, "kind": "help.call", "data": {}})
    banner = page.get_by_test_id("life-banner")
    expect(banner).to_be_visible()
    banner.get_by_role("link").click()
    page.wait_for_url("**/alerts?class=L&state=unacknowledged")
    line = page.locator(".line", has_text="长者求助")
    expect(line).to_contain_text("生命安全")
    line.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("未登记求助服务")
    expect(page.get_by_role("button", name="搁置")).to_have_count(0)
