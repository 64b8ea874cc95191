"""Every screen: readable by everybody, fitting every width, light enough, asking nobody but the hub."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser import PHONE, TABLET, WIDE, Watched, window
from support.site import Site
from support.wait import until

AXE = Path(__file__).parents[2] / "hub/web/node_modules/axe-core/axe.min.js"
UNIT = "990000-0002-1-302"
BUDGET_BYTES = 300 * 1024


@pytest.fixture(scope="module")
def screens(site: Site) -> dict[str, str]:
    """Each screen's address; there is something to see on each."""
    site.smoke("gw-e2e-0001", "smoke-302", UNIT)
    told = {"online": True, "profile": "heiman/hs1sa@0f2d4b68", "firmware": "0122052017"}
    site.publish("gw-e2e-0001", {"device": "smoke-302", "unit": UNIT, "kind": "device.health", "data": told})
    site.broker.publish("anfang/v1/gw-broken/event", b"{", qos=1).wait_for_publish(10)
    [alert] = until(lambda: site.alerts(unit=UNIT), what="the alert")
    return {
        "inbox": "/alerts",
        "alert": f"/alerts/{alert['id']}",
        "houses": "/units",
        "unit": f"/units/{UNIT}",
        "devices": "/devices",
        "overview": "/overview",
        "wall": "/wall",
        "rules": "/policies",
        "what-if": "/policies/try",
        "report": "/report",
        "import": "/registry/import",
        "tenancy": f"/registry/tenancy?unit={UNIT}",
        "export": "/registry/export",
        "requests": "/registry/requests",
        "authorities": "/registry/authorities",
        "duty": "/settings/duty",
        "channels": "/settings/channels",
        "me": "/settings/me",
        "retention": "/settings/retention",
        "audit": "/audit",
        "users": "/users",
        "nothing": "/nothing",
        "home": site.api.post(f"/api/v1/units/{UNIT}/tenant-link").json()["path"],
    }


def settle(page: Page) -> None:
    """Until the page has what it asked for."""
    page.wait_for_load_state("load")
    expect(page.get_by_text("加载中").or_(page.get_by_text("Loading…"))).to_have_count(0)
    expect(page.locator("h1").first).to_be_visible()


def serious(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical."""
    # The page's own policy forbids foreign scripts; the debugger's way in is not bound by it.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})).violations"
        ".filter(v => ['serious', 'critical'].includes(v.impact))"
        ".map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')}`)"
    )
    assert isinstance(found, list)
    return [str(item) for item in found]


def cut_off(page: Page) -> list[str]:
    """What makes the page wider than its window, and buttons and headings whose own text does not fit."""
    found = page.evaluate(
        """() => {
          const out = [];
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth > width) {
            out.push(`page: ${document.documentElement.scrollWidth} in ${width}`);
            for (const e of document.querySelectorAll('body *')) {
              const scrolls = e.closest('.table-wrap, nav, .box');
              if (!scrolls && e.getBoundingClientRect().right > width + 1) out.push('wide: ' + e.outerHTML.slice(0, 120));
            }
          }
          for (const e of document.querySelectorAll('button, h1, h2, .el-tag, dt, .times, .kind, .states, .place')) {
            if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline') out.push('cut: ' + e.outerHTML.slice(0, 120));
          }
          return out.slice(0, 5);
        }"""
    )
    assert isinstance(found, list)
    return [str(item) for item in found]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_screen(
    browser: Browser, site: Site, screens: dict[str, str], theme: str, language: str
) -> None:
    problems = {}
    with window(browser, site.address, theme=theme, language=language) as opened:
        opened.page.goto("/enter")
        expect(opened.page.get_by_role("button").first).to_be_visible()
        problems["enter"] = serious(opened.page)
        opened.page.goto(site.link("admin", "admin"))
        opened.page.wait_for_url("**/alerts")
        for name, path in screens.items():
            opened.page.goto(path)
            settle(opened.page)
            problems[name] = serious(opened.page)
    assert not {name: found for name, found in problems.items() if found}


@pytest.mark.parametrize("size", [PHONE, TABLET, WIDE], ids=lambda size: str(size[0]))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_nothing_is_cut_at_any_width(
    browser: Browser, site: Site, screens: dict[str, str], size: tuple[int, int], language: str
) -> None:
    problems = {}
    with window(browser, site.address, size=size, language=language) as opened:
        opened.page.goto(site.link("admin", "admin"))
        opened.page.wait_for_url("**/alerts")
        for name, path in screens.items():
            opened.page.goto(path)
            settle(opened.page)
            problems[name] = cut_off(opened.page)
    assert not {name: found for name, found in problems.items() if found}


def test_the_first_load_of_the_inbox_keeps_its_budget(browser: Browser, site: Site) -> None:
    sent: dict[str, int] = {}
    with window(browser, site.address) as opened:
        opened.page.goto(site.link("lisi", "manager"))
        opened.page.wait_for_url("**/alerts")
        opened.context.storage_state()
        fresh = opened.context.new_page()
        session = opened.context.new_cdp_session(fresh)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        scripts: set[str] = set()
        session.on(
            "Network.responseReceived",
            lambda event: scripts.add(event["requestId"]) if event["type"] == "Script" else None,
        )
        session.on(
            "Network.loadingFinished", lambda event: sent.update({event["requestId"]: event["encodedDataLength"]})
        )
        fresh.goto("/alerts")
        expect(fresh.get_by_test_id("live")).to_contain_text("实时")
        total = sum(size for request, size in sent.items() if request in scripts)
    assert 0 < total <= BUDGET_BYTES, f"{total} bytes of script"


def test_the_devices_screen_says_which_profile_and_firmware(screens: dict[str, str], watched: Watched) -> None:
    page = watched.page
    page.goto(screens["devices"])
    row = page.get_by_role("row").filter(has=page.get_by_text("smoke-302", exact=True)).first
    expect(row).to_contain_text("heiman/hs1sa@0f2d4b68")
    expect(row).to_contain_text("固件 0122052017")
