"""The household's own page: what is measured, who looked, and an objection that stops the clock."""

from playwright.sync_api import Browser, expect
from support.browser import Watched, window
from support.site import Site
from support.wait import until

UNIT = "990000-0002-1-302"


def test_a_household_objects_and_the_clock_stops(browser: Browser, site: Site, watched: Watched) -> None:
    site.publish("gw-e2e-0001", {"device": "lock-302", "unit": UNIT, "kind": "lock.alarm", "data": {"alarm": "forced"}})
    [forced] = until(lambda: [a for a in site.alerts(unit=UNIT) if a["rule"] == "S1"], what="the alert")
    page = watched.page
    page.goto(f"/units/{UNIT}")
    page.get_by_role("button", name="租客链接").click()
    link = page.get_by_test_id("tenant-link").inner_text()
    assert link.startswith(f"{site.address}/home#")

    with window(browser, site.address) as tenant:
        tenant.page.goto(link)
        alert = tenant.page.get_by_test_id("home-alert").first
        expect(alert).to_be_visible()
        assert "#" not in tenant.page.url
        expect(tenant.page.get_by_test_id("looks")).to_contain_text("物业管理")
        expect(tenant.page.get_by_role("main")).not_to_contain_text("张")
        alert.get_by_role("button", name="提出异议").click()
        dialog = tenant.page.get_by_role("dialog")
        dialog.get_by_role("button", name="提交").click()
        expect(dialog.get_by_role("alert")).to_contain_text("请写明")
        dialog.get_by_label("哪里不对").fill("钥匙断在锁里，房东在场撬开")
        dialog.get_by_role("button", name="提交").click()
        expect(alert).to_contain_text("已暂停")

    page.goto(f"/alerts/{forced['id']}")
    expect(page.get_by_test_id("review")).to_contain_text("有异议")
    expect(page.get_by_test_id("trail")).to_contain_text("钥匙断在锁里")
    page.get_by_role("button", name="答复异议").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("异议成立，作为误报办结").check()
    dialog.get_by_label("说明").fill("已电话向房东核实")
    dialog.get_by_role("button", name="确认").click()
    expect(page.get_by_test_id("review")).to_contain_text("已办结")


def test_a_households_link_opens_nothing_else(site: Site) -> None:
    made = site.api.post(f"/api/v1/units/{UNIT}/tenant-link").json()
    secret = made["path"].partition("#")[2]
    tenant = {"Authorization": f"Tenant {secret}"}
    assert site.api.get("/api/v1/home", headers=tenant).status_code == 200
    for path in ("/alerts", "/units", f"/units/{UNIT}", "/audit", "/gateways", "/stream"):
        assert site.api.get(f"/api/v1{path}", headers=tenant).status_code == 403, path
    newer = site.api.post(f"/api/v1/units/{UNIT}/tenant-link").json()["path"].partition("#")[2]
    assert site.api.get("/api/v1/home", headers=tenant).status_code == 401
    assert site.api.get("/api/v1/home", headers={"Authorization": f"Tenant {newer}"}).status_code == 200
