"""Who is told, who is on duty, how long data is kept, who may do what."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from support.browser import Watched, window
from support.site import Site
from support.wait import until

from hub.domain.local_time import local_day
from wire.clock import SystemClock


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes messages, as a company's own would."""
    heard: list[dict[str, Any]] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hears)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/hook", heard
    finally:
        server.shutdown()
        server.server_close()


def test_a_channel_is_tried_and_somebody_is_put_on_duty(
    watched: Watched, webhook: tuple[str, list[dict[str, Any]]]
) -> None:
    address, heard = webhook
    page = watched.page
    watched.tolerated = ("422",)
    page.goto("/settings/channels")
    page.get_by_role("button", name="添加接收人").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_text("请填写此项")).to_have_count(2)
    dialog.get_by_label("接收人").fill("夜班保安")
    dialog.get_by_label("渠道", exact=True).select_option("other")
    dialog.get_by_label("apprise 地址").fill("nonsense")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_text("渠道地址无法识别")).to_be_visible()
    expect(dialog.get_by_label("接收人")).to_have_value("夜班保安")
    dialog.get_by_label("apprise 地址").fill(address)
    dialog.get_by_role("button", name="保存").click()
    row = page.get_by_test_id("recipients").get_by_role("row", name="夜班保安")
    row.get_by_role("button", name="发送测试").click()
    expect(row).to_contain_text("测试消息已送达")
    until(lambda: heard, what="the message")
    assert "安房" in str(heard[0])
    expect(page.get_by_role("main")).not_to_contain_text(address)

    page.get_by_role("link", name="值班表").click()
    form = page.get_by_test_id("duty-form")
    form.get_by_role("button", name="排班").click()
    expect(form.get_by_text("请填写此项")).to_be_visible()
    form.get_by_label("接收人").select_option("夜班保安")
    form.get_by_label("开始时间").fill("2036-01-01T20:00")
    form.get_by_label("结束时间").fill("2036-01-02T08:00")
    form.get_by_label("连续天数").fill("3")
    form.get_by_role("button", name="排班").click()
    roster = page.get_by_test_id("duty")
    expect(roster.get_by_role("listitem")).to_have_count(3)
    roster.get_by_role("button", name="移除").first.click()
    expect(roster.get_by_role("listitem")).to_have_count(2)


@pytest.fixture
def admin(browser: Browser, site: Site) -> Iterator[Watched]:
    with window(browser, site.address) as opened:
        opened.page.goto(site.link("admin", "admin"))
        opened.page.wait_for_url("**/alerts")
        yield opened


def test_keeping_data_longer_takes_a_reason_and_is_audited(admin: Watched) -> None:
    page = admin.page
    page.goto("/settings/retention")
    row = page.get_by_test_id("retention").get_by_role("row", name="按分钟的人数计数")
    row.get_by_role("button", name="修改").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("保存天数").fill("1000")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_role("alert").first).to_contain_text("1 至 90 天")
    dialog.get_by_label("保存天数").fill("14")
    expect(dialog).to_contain_text("隐私保护会减弱")
    dialog.get_by_label("理由").fill("核对漏计")
    dialog.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("14 天")
    expect(row).to_contain_text("默认 7 天")
    page.goto("/audit")
    page.get_by_test_id("audit-action").select_option("retention.weakened")
    expect(page.get_by_test_id("audit").get_by_role("row")).to_have_count(2)
    expect(page.get_by_test_id("audit")).to_contain_text("核对漏计")
    page.get_by_role("button", name="校验完整性").click()
    expect(page.get_by_text("未被篡改")).to_be_visible()


def test_a_user_is_added_changed_and_disabled(site: Site, admin: Watched) -> None:
    page = admin.page
    page.goto("/users")
    page.get_by_role("button", name="添加用户").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("用户名").fill("wang wu")
    dialog.get_by_label("角色").select_option("grid_worker")
    dialog.get_by_label("密码").fill("short")
    dialog.get_by_role("button", name="保存").click()
    for said in ("用户名不能含空格", "此角色须指定范围", "密码至少 10 位"):
        expect(dialog.get_by_text(said)).to_be_visible()
    dialog.get_by_label("用户名").fill("wangwu")
    dialog.get_by_label("范围").fill("990000-0002-1")
    dialog.get_by_label("密码").fill("")
    dialog.get_by_role("button", name="保存").click()
    row = page.get_by_role("row", name="wangwu")
    expect(row).to_contain_text("网格员")
    row.get_by_role("button", name="修改").click()
    dialog.get_by_label("显示名称").fill("王五")
    dialog.get_by_label("角色").select_option("viewer")
    dialog.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("王五")
    row.get_by_role("button", name="停用").click()
    expect(row).to_contain_text("已停用")
    users = {user["name"]: user for user in site.api.get("/api/v1/users").json()["items"]}
    assert (users["wangwu"]["role"], users["wangwu"]["display_name"]) == ("viewer", "王五")


def test_a_key_of_a_program_is_shown_once_works_and_is_revoked(site: Site, admin: Watched) -> None:
    page = admin.page
    page.goto("/users")
    card = page.get_by_test_id("tokens")
    card.get_by_role("button", name="新建密钥").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("有效天数").fill("很久")
    dialog.get_by_role("button", name="保存").click()
    for said in ("请填写此项", "格式不正确"):
        expect(dialog.get_by_text(said)).to_be_visible()
    dialog.get_by_label("用途").fill("大屏读数")
    dialog.get_by_label("有效天数").fill("30")
    dialog.get_by_role("button", name="保存").click()
    secret = page.get_by_test_id("token").inner_text()
    page.keyboard.press("Escape")
    row = card.get_by_role("row", name="大屏读数")
    expect(row).not_to_contain_text(secret)
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{site.address}/api/v1/alerts", headers=headers).status_code == 200
    row.get_by_role("button", name="吊销").click()
    page.get_by_role("dialog").get_by_role("button", name="吊销").click()
    expect(row).to_contain_text("已吊销")
    assert httpx.get(f"{site.address}/api/v1/alerts", headers=headers).status_code == 401


def test_somebody_who_moved_out_is_erased_at_their_own_request(site: Site, admin: Watched) -> None:
    page = admin.page
    page.goto("/units/990000-0002-1-302")
    people = page.get_by_test_id("people")
    expect(people).to_contain_text("张*")
    expect(people.get_by_role("button", name="删除个人信息")).to_have_count(0)
    unit = "990000-0002-1-202"
    today = local_day(SystemClock().now())
    came = {"start": str(today - timedelta(days=9)), "residents": [{"name": "赵六", "phone": "13800005678"}]}
    site.api.post(f"/api/v1/units/{unit}/check-in", json=came).raise_for_status()
    [lease] = site.api.get(f"/api/v1/units/{unit}", headers={"X-Purpose": "lease"}).json()["leases"]
    went = {"lease": lease["code"], "ended_on": str(today - timedelta(days=2))}
    site.api.post(f"/api/v1/units/{unit}/check-out", json=went).raise_for_status()
    page.goto(f"/units/{unit}")
    expect(people).to_contain_text("赵*")
    people.get_by_role("button", name="删除个人信息").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="删除个人信息").click()
    expect(dialog.get_by_text("请先核实并勾选")).to_be_visible()
    dialog.get_by_label("理由").fill("本人到物业办公室书面申请")
    dialog.get_by_label("已核实").check()
    dialog.get_by_role("button", name="删除个人信息").click()
    expect(people).to_contain_text("已匿名")
    expect(people.get_by_role("button", name="删除个人信息")).to_have_count(0)
    [entry] = site.api.get("/api/v1/audit", params={"action": "pii.erase"}).json()["items"]
    assert entry["reason"] == "本人到物业办公室书面申请"
