"""The household's own page: what is measured, who looked, and an objection that stops the clock."""

from pathlib import Path

import cv2
import numpy as np
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
    code = page.get_by_role("dialog").get_by_role("img").screenshot()
    read, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_GRAYSCALE))
    assert read == link

    with window(browser, site.address) as tenant:
        tenant.page.goto(link)
        alert = tenant.page.get_by_test_id("home-alert").first
        expect(alert).to_be_visible()
        assert "#" not in tenant.page.url
        expect(tenant.page.get_by_test_id("looks")).to_contain_text("物业管理")
        expect(tenant.page.get_by_role("main")).not_to_contain_text("张三")
        expect(tenant.page.get_by_test_id("home-device").first).to_contain_text("保存")
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


def test_a_household_adds_a_guest_asks_and_is_answered(browser: Browser, site: Site, watched: Watched) -> None:
    secret = site.api.post(f"/api/v1/units/{UNIT}/tenant-link").json()["path"]
    with window(browser, site.address) as tenant:
        home = tenant.page
        tenant.tolerated = ("422",)
        home.goto(secret)
        home.get_by_role("button", name="登记访客").click()
        asking = home.get_by_test_id("asking")
        asking.get_by_label("姓名").fill("周八")
        asking.get_by_label("离开日期").fill("2099-01-01")
        asking.get_by_role("button", name="登记访客").click()
        expect(asking.get_by_text("不早于来访日期")).to_be_visible()
        expect(asking.get_by_label("姓名")).to_have_value("周八")
        asking.get_by_label("离开日期").fill(asking.get_by_label("来访日期").input_value())
        asking.get_by_role("button", name="登记访客").click()
        expect(home.get_by_role("listitem").filter(has_text="周*")).to_contain_text("访客")
        home.get_by_role("button", name="申请更正").click()
        asking.get_by_label("需要更正的内容").fill("手机号已换，请电话联系我")
        asking.get_by_role("button", name="提交").click()
        requests = home.get_by_test_id("home-requests")
        expect(requests).to_contain_text("待答复")

        page = watched.page
        page.goto("/registry/requests")
        page.get_by_test_id("requests").get_by_role("button", name="查看").first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("手机号已换")
        dialog.get_by_label("不予办理").check()
        dialog.get_by_role("button", name="答复").click()
        expect(dialog.get_by_role("alert")).to_contain_text("须写明理由")
        dialog.get_by_label("已办理").check()
        dialog.get_by_label("答复", exact=True).fill("已更正")
        dialog.get_by_role("button", name="答复").click()
        expect(dialog).to_have_count(0)
        home.reload()
        expect(requests).to_contain_text("已更正")
        expect(home.get_by_test_id("looks")).to_contain_text("查看住户请求")
        with home.expect_download() as copy:
            home.get_by_role("button", name="下载我的数据").click()
        assert "手机号已换" in Path(copy.value.path()).read_text(encoding="utf-8")


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
