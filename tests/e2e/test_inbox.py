"""The inbox as a manager uses it."""

import time

from playwright.sync_api import Browser, expect
from support.browser import PHONE, Watched, window
from support.site import Site
from support.wait import until


def test_a_smoke_alarm_appears_on_the_open_page_within_a_second(site: Site, watched: Watched) -> None:
    page = watched.page
    expect(page.get_by_test_id("live")).to_contain_text("实时")
    began = time.monotonic()
    site.smoke("gw-page-01", "smoke-kitchen")
    row = page.locator(".line", has_text="gw-page-01")
    expect(row).to_be_visible(timeout=5000)
    assert time.monotonic() - began < 1.0
    expect(page.get_by_test_id("life-banner")).to_be_visible()


def test_triage_needs_no_mouse(site: Site, watched: Watched) -> None:
    page = watched.page
    site.smoke("gw-keys-01", "smoke-a")
    site.smoke("gw-keys-02", "smoke-b")
    expect(page.locator(".line", has_text="gw-keys-02")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("下一条")
    page.keyboard.press("Escape")
    rows = page.locator(".line")
    while "gw-keys-01" not in page.locator(".line[aria-current]").all_inner_texts().__str__():
        page.keyboard.press("j")
        assert rows.count() > 0
    page.keyboard.press("a")
    expect(page.locator(".line", has_text="gw-keys-01")).to_contain_text("已确认")
    [acknowledged] = site.alerts(gateway="gw-keys-01")
    assert acknowledged["is_acknowledged"]
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("误报").check()
    page.keyboard.press("Tab")
    page.keyboard.type("做饭油烟")
    page.keyboard.press("Enter")
    expect(page.locator(".line", has_text="gw-keys-01")).to_have_count(0)
    [resolved] = site.alerts(gateway="gw-keys-01", state="resolved")
    assert resolved["outcome"] == "false"


def test_switching_the_language_changes_every_word(watched: Watched) -> None:
    page = watched.page
    page.get_by_test_id("language").click()
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    texts = page.locator("header, .filters, .head").all_inner_texts()
    assert not any("一" <= sign <= "鿿" for text in texts for sign in text.replace("中文", ""))
    page.reload()
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


def test_after_the_network_was_away_nothing_is_missing(site: Site, watched: Watched) -> None:
    page = watched.page
    expect(page.get_by_test_id("live")).to_contain_text("实时")
    watched.tolerated = ("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK")
    watched.context.set_offline(True)
    expect(page.get_by_test_id("live")).to_contain_text("断开")
    for number in range(5):
        site.smoke(f"gw-away-0{number}", "smoke")
    until(lambda: len([a for a in site.alerts() if (a["gateway"] or "").startswith("gw-away")]) == 5, what="alerts")
    watched.context.set_offline(False)
    expect(page.get_by_test_id("live")).to_contain_text("实时")
    for number in range(5):
        expect(page.locator(".line", has_text=f"gw-away-0{number}")).to_be_visible()


def test_the_pages_put_no_personal_data_into_addresses_or_titles(site: Site, watched: Watched) -> None:
    site.smoke("gw-title-01", "smoke")
    watched.page.locator(".line", has_text="gw-title-01").get_by_role("link").click()
    watched.page.wait_for_url("**/alerts/*")
    assert watched.page.title() == "安房"
    assert watched.page.url.rsplit("/", 1)[1].isdigit()


def test_on_a_phone_the_list_has_the_screen_and_the_filters_unfold(browser: Browser, site: Site) -> None:
    site.smoke("gw-phone-01", "smoke")
    with window(browser, site.address, size=PHONE) as opened:
        page = opened.page
        page.goto(site.link("zhangsan", "manager"))
        page.wait_for_url("**/alerts")
        expect(page.locator(".line").first).to_be_visible()
        box = page.locator(".list").bounding_box()
        assert box is not None
        assert box["height"] >= PHONE[1] / 2
        assert box["y"] + box["height"] <= PHONE[1]
        expect(page.get_by_label("级别")).to_be_hidden()
        page.get_by_test_id("more-filters").click()
        page.get_by_label("级别").select_option("P0")
        page.get_by_label("排序").select_option("newest")
        expect(page.get_by_test_id("more-filters")).to_contain_text("2")
        expect(page.locator(".line", has_text="gw-phone-01")).to_be_visible()
        page.wait_for_url("**/alerts?severity=P0&order=newest")
