"""The registry by hand and by table: a broken file is mended in the page and brought in; forms keep what was typed."""

from pathlib import Path

from playwright.sync_api import Browser, expect
from support.browser import Watched, window
from support.site import Site

BROKEN = (
    "楼栋,房号,姓名,身份证号,电话,起租日,到租日,民族\n"
    "9幢,901,王五,990000199001010017,13800005678,2026-01-01,不定期,汉\n"
    "9幢,902,赵六,,1380000,明天,,\n"
)
UNIT = "990000-0002-1-301"


def test_a_broken_file_is_mended_and_applied(site: Site, watched: Watched, tmp_path: Path) -> None:
    table = tmp_path / "registry.csv"
    table.write_text(BROKEN, encoding="gb18030")
    page = watched.page
    page.get_by_role("link", name="登记", exact=True).click()
    # The page offers the only estate by itself.
    expect(page.get_by_label("小区编码")).to_have_value("990000-0002")
    page.get_by_label("小区编码").fill("")
    page.get_by_test_id("file").set_input_files(table)
    expect(page.get_by_text("请填写此项")).to_be_visible()
    page.get_by_label("小区编码").fill("990000-0002")
    page.get_by_role("button", name="试算", exact=True).click()
    total = page.get_by_test_id("import-sum")
    expect(total).to_contain_text("尚未写入")
    expect(total).to_contain_text("民族")
    expect(page.get_by_test_id("apply")).to_be_disabled()
    faults = page.get_by_test_id("faults")
    expect(faults).to_contain_text("手机号应为 11 位数字")
    expect(faults).not_to_contain_text("digits")
    assert site.api.get("/api/v1/units/990000-0002-9-901").status_code == 404
    page.get_by_label("第 3 行 电话").fill("13800009999")
    page.get_by_label("第 3 行 起租日").fill("2026-02-01")
    page.get_by_test_id("again").click()
    expect(page.get_by_test_id("faults")).to_have_count(0)
    page.get_by_test_id("apply").click()
    expect(total).to_contain_text("已写入台账")
    [occupant] = site.api.get("/api/v1/units/990000-0002-9-902").json()["occupants"]
    assert (occupant["person"]["name"], occupant["person"]["phone"]) == ("赵*", "138****9999")
    assert "registry.import" in str(site.api.get("/api/v1/audit").json())


def test_what_is_no_table_is_said_beside_the_place(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    watched.tolerated = ("422",)
    page.goto("/registry/import")
    page.get_by_label("小区编码").fill("990000-0002")
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    page.get_by_test_id("file").set_input_files(picture)
    expect(page.get_by_test_id("file-problem")).to_contain_text("只支持")
    empty = tmp_path / "empty.csv"
    empty.write_text("a,b\n1,2\n")
    page.get_by_test_id("file").set_input_files(empty)
    expect(page.get_by_test_id("file-problem")).to_contain_text("没有找到表头")
    expect(page.get_by_label("小区编码")).to_have_value("990000-0002")


def test_somebody_moves_in_and_out_again(site: Site, watched: Watched) -> None:
    page = watched.page
    watched.tolerated = ("422",)
    page.goto("/registry/tenancy")
    page.get_by_label("先找到房屋").fill("1-301")
    page.get_by_role("button", name="测试小区1幢 301").click()
    form = page.get_by_test_id("tenancy")
    form.get_by_role("button", name="办理入住").click()
    expect(form.get_by_text("请填写此项")).to_have_count(2)
    form.get_by_label("起租日").fill("2026-03-01")
    form.get_by_label("姓名").fill("孙七")
    form.get_by_label("电话").fill("12")
    form.get_by_role("button", name="办理入住").click()
    expect(form.get_by_text("手机号应为 11 位数字")).to_be_visible()
    expect(form.get_by_label("姓名")).to_have_value("孙七")
    form.get_by_label("电话").fill("13800007777")
    form.get_by_role("button", name="办理入住").click()
    expect(form).to_contain_text("孙*")
    form.get_by_role("button", name="访客", exact=True).click()
    form.get_by_label("姓名").fill("周八")
    form.get_by_label("离开日期").fill("2036-01-01")
    form.get_by_role("button", name="登记访客").click()
    expect(form).to_contain_text("周*")
    form.get_by_role("button", name="预约开门").click()
    form.get_by_label("开始时间").fill("2036-01-01T10:00")
    form.get_by_label("结束时间").fill("2036-01-01T09:00")
    form.get_by_role("button", name="登记预约").click()
    expect(form.get_by_text("结束早于开始")).to_be_visible()
    form.get_by_label("结束时间").fill("2036-01-01T11:00")
    form.get_by_role("button", name="登记预约").click()
    expect(page.get_by_text("已记入台账").first).to_be_visible()
    form.get_by_role("button", name="退租", exact=True).click()
    form.get_by_role("button", name="办理退租").click()
    expect(form).to_contain_text("没有未结束的租约")
    [lease] = [
        found for found in site.api.get(f"/api/v1/units/{UNIT}").json()["leases"] if found["start_on"][:4] == "2026"
    ]
    assert lease["state"] == "ended"


def test_the_registry_leaves_with_masks_unless_a_reason_is_given(site: Site, watched: Watched) -> None:
    page = watched.page
    page.goto("/registry/export")
    with page.expect_download() as masked:
        page.get_by_role("button", name="导出").click()
    assert masked.value.suggested_filename.endswith(".xlsx")
    page.get_by_label("包含完整的姓名").check()
    page.get_by_role("button", name="导出").click()
    expect(page.get_by_text("请写明理由")).to_be_visible()
    page.get_by_label("理由", exact=True).fill("派出所依法调取")
    page.get_by_label("格式").select_option("csv")
    with page.expect_download() as opened:
        page.get_by_role("button", name="导出").click()
    assert "张三" in Path(opened.value.path()).read_text(encoding="utf-8-sig")
    [line] = site.api.get("/api/v1/audit", params={"action": "registry.export.revealed"}).json()["items"]
    assert line["reason"] == "派出所依法调取"


def test_what_an_authority_asks_for_is_decided_by_somebody_else(browser: Browser, site: Site, watched: Watched) -> None:
    page = watched.page
    page.goto("/registry/authorities")
    page.get_by_role("button", name="登记调取请求").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_text("请填写此项")).to_have_count(3)
    dialog.get_by_label("调取单位").fill("示例派出所")
    dialog.get_by_label("文书号").fill("示公调字1号")
    dialog.get_by_label("文书日期").fill("2026-01-02")
    dialog.get_by_label("法律依据").fill("刑事诉讼法第54条")
    dialog.get_by_label("调取范围").fill("302室一月的门锁记录")
    dialog.get_by_label("房屋编码").fill("990000-0002-1-302")
    dialog.get_by_role("button", name="保存").click()
    row = page.get_by_test_id("authorities").get_by_role("row", name="示例派出所")
    row.get_by_role("button", name="查看").click()
    expect(page.get_by_role("dialog")).to_contain_text("须由登记人以外的管理员决定")
    with window(browser, site.address) as other:
        page = other.page
        page.goto(site.link("chief", "admin"))
        page.wait_for_url("**/alerts")
        page.goto("/registry/authorities")
        row = page.get_by_test_id("authorities").get_by_role("row", name="示例派出所")
        row.get_by_role("button", name="查看").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("理由").fill("文书范围过宽，请明确日期")
        dialog.get_by_role("button", name="作出决定").click()
        expect(row).to_contain_text("未提供")
    trail = site.api.get("/api/v1/audit", params={"action": "authority.decide"}).json()["items"]
    assert [line["actor"] for line in trail] == ["user:chief"]
