"""Tables into the registry."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlmodel import select
from support.house import KEY, House

from hub.domain.entities import Unit
from hub.errors import RegistryError
from hub.registry.sheets.columns import TEMPLATE
from hub.registry.sheets.exporting import export_rows
from hub.registry.sheets.importing import ImportOptions, ImportReport, import_file
from hub.registry.sheets.reading import read_bytes
from hub.registry.sheets.writing import write_report, write_table, write_template
from hub.registry.snapshot import RegistrySnapshot
from hub.store.tables.registry import PersonRow, UnitRow

ESTATE = "330702-0001"
ROW = {
    "楼栋": "3幢", "单元": "2单元", "房号": "501", "房间": "主卧", "房型": "居室", "面积㎡": "14", "面积口径": "使用面积",
    "出租方式": "整租", "房东姓名": "王五", "房东电话": "13900000001", "租客姓名": "张三", "证件类型": "身份证",
    "证件号码": "990000199001010017", "手机号": "13800001234", "与承租人关系": "本人", "户籍县区代码": "360102",
    "起租日": "2026-01-01", "到租日": "不定期", "居住登记状态": "已登记", "登记日期": "2026/1/3", "租赁备案号": "BA-1",
    "门禁凭证号": "0001701559", "备注": "",
}  # fmt: skip


def table(rows: list[dict[str, str]], headers: tuple[str, ...] = TEMPLATE) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headers)
    writer.writerows([row.get(header, "") for header in headers] for row in rows)
    return out.getvalue()


def load(house: House, path: Path, **options: object) -> ImportReport:
    return import_file(
        house.db,
        path,
        ImportOptions(ESTATE, "330702", **options),
        vault=house.vault,
        organisation_key=KEY,
        now=house.now,
    )


def unit_of(house: House, code: str) -> Unit | None:
    registry = RegistrySnapshot()
    with house.db.read() as session:
        registry.refresh(session)
        return registry.unit(session, code)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_any_of_the_three_encodings_gives_the_same_registry(house: House, encoding: str) -> None:
    path = house.folder / "a.csv"
    path.write_bytes(table([ROW]).encode(encoding))
    report = load(house, path)
    assert report.is_applied
    assert report.errors == []
    unit = unit_of(house, "330702-0001-3-2-501")
    assert unit is not None
    (occupant,) = unit.people_on(date(2026, 11, 1))
    assert (occupant.person.mask, occupant.person.hukou_region) == ("张*", "360102")
    assert unit.leases[0].end_on is None
    assert {found.kind for found in unit.registrations} == {"residence", "contract"}
    assert unit.credentials[0].mask == "****1559"


def test_the_same_file_twice_changes_nothing(house: House) -> None:
    path = house.folder / "a.csv"
    path.write_text(
        table([ROW, ROW | {"房号": "502", "租客姓名": "李四", "证件号码": "", "手机号": "", "门禁凭证号": ""}])
    )
    assert load(house, path).added > 10
    again = load(house, path)
    assert (again.added, again.changed) == (0, 0)
    assert {result.does for result in again.results} == {"same"}


def test_a_dry_run_says_what_would_change_and_changes_nothing(house: House) -> None:
    path = house.folder / "a.csv"
    path.write_text(table([ROW]))
    report = load(house, path, is_dry_run=True)
    assert (report.is_applied, report.results[0].does) == (False, "add")
    assert unit_of(house, "330702-0001-3-2-501") is None


def test_one_bad_row_and_nothing_is_applied(house: House) -> None:
    path = house.folder / "a.csv"
    path.write_text(
        table([ROW, ROW | {"房号": "502", "起租日": "明天"}, ROW | {"房号": "503", "到租日": "2025-01-01"}])
    )
    report = load(house, path)
    assert not report.is_applied
    assert [(fault.row, fault.key) for fault in report.errors] == [(3, "起租日"), (4, "到租日")]
    assert unit_of(house, "330702-0001-3-2-501") is None
    assert [result.does for result in report.results] == ["add", "refused", "refused"]


def test_a_spreadsheet_with_merged_cells_notes_numbers_and_forbidden_columns(house: House) -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = "台账"
    sheet.append(["某某小区租赁台账"])
    sheet.append(["楼栋", "房号", "姓名", "身份证号", "手机", "起租日期", "到期日", "民族", "政治面貌", "备用"])
    sheet.append(["（说明）", "必填", "必填", "请以文本格式填写", "选填", "选填", "选填", "", "", ""])
    sheet.append(["3幢", 501, "张三", "990000199001010017", 13800001234, date(2026, 1, 1), 46387, "汉", "群众", "x"])
    sheet.append([None, None, "李四", 9.9000019900101e17, 13800005678, "2026.1.1", "2026年12月31日", "汉", "", ""])
    sheet.append([None, 502, "王五", None, None, 46023, "长期", None, None, None])
    sheet.merge_cells("A4:A6")
    sheet.merge_cells("B4:B5")
    path = house.folder / "b.xlsx"
    book.save(path)
    report = load(house, path, is_dry_run=True)
    assert report.dropped == ["政治面貌", "民族"]
    assert report.unknown == ["备用"]
    assert [(fault.row, fault.what[:10]) for fault in report.errors] == [(5, "疑似被Excel截断")]
    sheet["D5"] = None
    book.save(path)
    assert load(house, path).is_applied
    unit = unit_of(house, "330702-0001-3-501")
    assert unit is not None
    assert sorted(occupant.person.mask for occupant in unit.people_on(date(2026, 11, 1))) == ["张*", "李*"]
    assert unit.leases[0].end_on == date(2026, 12, 31)
    assert unit_of(house, "330702-0001-3-502") is not None
    with house.db.read() as session:
        assert "汉" not in "".join(str(row.model_dump()) for row in session.exec(select(PersonRow)))


def test_two_people_may_share_a_phone_and_one_may_live_in_two_units(house: House) -> None:
    path = house.folder / "a.csv"
    other = ROW | {"租客姓名": "李四", "证件号码": "", "与承租人关系": "配偶", "门禁凭证号": ""}
    path.write_text(table([ROW, other, ROW | {"房号": "601", "门禁凭证号": ""}]))
    assert load(house, path).errors == []
    first, second = unit_of(house, "330702-0001-3-2-501"), unit_of(house, "330702-0001-3-2-601")
    assert first is not None
    assert second is not None
    assert len({o.person.code for o in first.occupants}) == 2
    assert {o.person.code for o in first.occupants} & {o.person.code for o in second.occupants}
    house.tick()
    assert house.alerts("T6")


def test_a_unit_without_tenants_is_vacant_and_an_address_column_serves_too(house: House) -> None:
    path = house.folder / "c.csv"
    path.write_text(
        "小区名称,房屋信息,姓名,手机号,身份证号,门禁卡号,起租日\n阳光小区,5幢1单元302室,,,,,\n,6-101,赵六,,,,2026-02-01\n"
    )
    assert load(house, path).errors == []
    with house.db.read() as session:
        assert {row.code: row.is_vacant for row in session.exec(select(UnitRow))} == {
            "330702-0001-5-1-302": True,
            "330702-0001-6-101": False,
        }


def test_names_and_numbers_are_nowhere_in_the_database_file(house: House) -> None:
    path = house.folder / "a.csv"
    path.write_text(table([ROW]))
    load(house, path)
    house.close()
    data = b"".join(found.read_bytes() for found in house.folder.glob("hub.db*"))
    for secret in ("张三", "990000199001010017", "13800001234", "1701559"):
        assert secret.encode() not in data


def test_what_is_exported_comes_back_as_the_same_registry_and_masks_people_by_default(house: House) -> None:
    path = house.folder / "a.csv"
    path.write_text(table([ROW | {"租赁备案号": "", "门禁凭证号": ""}]))
    load(house, path)
    with house.db.read() as session:
        masked = list(export_rows(session, house.now))
        opened = list(export_rows(session, house.now, vault=house.vault))
    assert "张三" not in str(masked)
    assert "990000199001010017" in str(opened)
    out = house.folder / "out.xlsx"
    write_table(out, "台账", TEMPLATE, opened)
    again = load(house, out)
    assert (again.added, again.changed, again.errors) == (0, 0, [])


def test_the_template_and_the_report_open_and_the_template_has_no_rows(house: House) -> None:
    path = house.folder / "t.xlsx"
    write_template(path)
    (found,) = read_bytes(path.read_bytes(), "t.xlsx")
    assert found.rows == []
    report = ImportReport("x", 0, 0)
    write_report(house.folder / "r.xlsx", report)
    assert load_workbook(house.folder / "r.xlsx").active.max_row == 1


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0old", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_registry_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(RegistryError) as caught:
        read_bytes(data, "x.xlsx")
    assert "x.xlsx" in str(caught.value)


cell = st.one_of(st.sampled_from(sorted({*ROW.values(), "=1+1", "长期", "无", "45292"})), st.text(max_size=12))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(TEMPLATE), cell), max_size=4))
def test_any_table_gives_faults_or_a_registry_never_a_traceback(house: House, rows: list[dict[str, str]]) -> None:
    path = house.folder / "any.csv"
    path.write_text(table([{"房号": "1", **row} for row in rows]), encoding="utf-8", errors="replace")
    report = load(house, path, is_dry_run=True)
    assert all(fault.what for fault in report.faults)
