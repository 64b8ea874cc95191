"""Tables as other systems write them, and the traps in them: each comes in, and a second time changes nothing."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlmodel import select
from support.house import KEY, House

from hub.domain.entities import Unit
from hub.domain.stored_event import Change
from hub.registry.sheets.importing import ImportOptions, ImportReport, import_file
from hub.registry.snapshot import RegistrySnapshot
from hub.registry.tenancy import CheckOut, check_out
from hub.registry.visits import set_counting
from hub.store.tables.registry import PersonRow, UnitRow

ESTATE = "330702-0001"
ID = "990000199001010017"
CHILD = "99000020200101001X"


def load(house: House, rows: list[list[object]], *, dry_run: bool = False) -> ImportReport:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path = house.folder / "a.csv"
    path.write_text(out.getvalue())
    options = ImportOptions(ESTATE, "330702", is_dry_run=dry_run)
    return import_file(house.db, path, options, vault=house.vault, organisation_key=KEY, now=house.now)


def load_twice(house: House, rows: list[list[object]]) -> ImportReport:
    """The second time a day later: nothing may change."""
    first = load(house, rows)
    assert first.errors == []
    house.now += timedelta(days=1)
    again = load(house, rows)
    assert (again.added, again.changed, again.errors) == (0, 0, [])
    return first


def unit(house: House, code: str) -> Unit:
    registry = RegistrySnapshot()
    with house.db.read() as session:
        registry.refresh(session)
        found = registry.unit(session, f"{ESTATE}-{code}")
    assert found is not None, code
    return found


def people(house: House, code: str) -> list[str]:
    day = house.now.date()
    return sorted(occupant.person.mask for occupant in unit(house, code).people_on(day))


def test_a_property_systems_table_without_dates_of_leases(house: House) -> None:
    report = load_twice(
        house,
        [
            ["小区名称", "姓名", "手机号", "身份证号", "人员类型", "户籍类型", "门禁卡号", "房屋信息", "车辆信息"],
            ["阳光小区", "张三", "13800001234", ID, "租户", "流动", "0001701559", "3幢2单元501室", "浙G00000"],
            ["阳光小区", "李四", "13800001234", "", "家属", "流动", "", "３幢２单元５０１室", ""],
            ["阳光小区", "王五", "13900000001", "", "业主", "常住", "", "3-2-502", ""],
        ],
    )
    assert report.unknown == []
    assert {fault.is_warning for fault in report.faults} == {True}
    assert people(house, "3-2-501") == ["张*", "李*"]
    assert len(unit(house, "3-2-501").leases) == 1
    owned = unit(house, "3-2-502")
    assert (owned.occupants, owned.is_vacant) == ((), False)
    with house.db.read() as session:
        assert session.exec(select(UnitRow).where(UnitRow.door == "502")).one().owner_code is not None


def test_a_grid_workers_table_with_two_columns_of_documents(house: House) -> None:
    headers = [
        "序号", "姓名", "身份证号", "护照/其他证件号码", "其他证件类型", "性别", "出生日期", "联系电话", "现住小区/建筑",
        "现住详细门牌", "所属网格", "与其他人员关系", "人员类型", "户籍地址", "是否人户分离", "实际居住地", "民族",
        "政治面貌", "婚姻状况", "健康状况", "重点类别", "宗教信仰",
    ]  # fmt: skip
    note = ["（说明）填写序号", "必填", "必填18位", *["选填"] * 19]
    base = dict.fromkeys(headers, "")

    def row(**cells: str) -> list[object]:
        return list((base | {"现住小区/建筑": "阳光小区3幢", "现住详细门牌": "2单元501室"} | cells).values())

    report = load_twice(
        house,
        [
            list(headers),
            list(note),
            row(
                姓名="张三",
                身份证号=ID,
                联系电话="13800001234",
                人员类型="流动",
                民族="汉族",
                户籍地址="某省某县某路 1 号",
            ),
            row(**{"姓名": "John Smith", "护照/其他证件号码": "E1234567", "其他证件类型": "护照"}),
            row(姓名="张小", 出生日期="2020.1.1", 与其他人员关系="子女"),
        ],
    )
    assert set(report.dropped) == {"户籍地址", "民族", "政治面貌", "婚姻状况", "健康状况", "重点类别", "宗教信仰"}
    found = {o.person.mask: o.person for o in unit(house, "3-2-501").occupants}
    assert {mask: person.document_type for mask, person in found.items()} == {
        "张*": "id_card" if found["张*"].has_document else "",
        "J***": "passport",
    }
    with house.db.read() as session:
        rows = list(session.exec(select(PersonRow)))
        assert {row.born_on for row in rows} == {None, date(2020, 1, 1)}
        assert "汉族" not in "".join(str(row.model_dump()) for row in rows)


def test_a_lease_agents_table_and_the_area_of_a_house_is_not_a_rooms(house: House) -> None:
    headers = [
        "租客姓名", "手机", "身份证号", "租住方式", "城市", "小区", "门牌号", "房间号", "月租", "起租日", "到租日", "备注",
        "房东姓名", "房东证件", "房东电话", "房屋面积", "户型", "押金",
    ]  # fmt: skip
    tail = ["1800", "2026/1/1", 46387, "", "王五", "", "13900000001", "89.5㎡", "三室一厅", "1800"]
    load_twice(
        house,
        [
            list(headers),
            ["张三", "13800001234", ID, "合租", "金华", "阳光小区", "3-2-501", "A", *tail],
            ["李四", "13800005678", "", "合租", "金华", "阳光小区", "3-2-501", "B", *tail],
            ["赵六", "13800009999", "", "整租", "金华", "阳光小区", "3-2-601", "", *tail],
        ],
    )
    shared = unit(house, "3-2-501")
    assert {lease.end_on for lease in shared.leases} == {date(2026, 12, 31)}
    assert len({lease.room_code for lease in shared.leases}) == 2
    assert [room.area_m2 for room in shared.rooms] == [None, None]
    assert [room.area_m2 for room in unit(house, "3-2-601").rooms] == [89.5]


def test_a_sheet_of_fees_tells_of_owners_and_makes_no_home_vacant(house: House) -> None:
    load(house, [["楼栋", "房号", "租客姓名", "起租日"], ["3幢", "501", "张三", "2026-01-01"]])
    fees: list[list[object]] = [
        ["小区", "楼栋", "房号", "面积", "业主", "电话", "入住时间", "车牌"],
        ["阳光小区", "3幢", "501", "89", "王五", "13900000001", "2020.1.1", ""],
        ["", "", "502", "89", "王五", "13900000001", "2020.1.1", ""],
    ]
    load_twice(house, fees)
    assert (unit(house, "3-501").is_vacant, unit(house, "3-502").is_vacant) == (False, False)
    with house.db.read() as session:
        owners = {row.owner_code for row in session.exec(select(UnitRow).where(UnitRow.known_to.is_(None)))}  # type: ignore[union-attr]
        assert len(owners) == 1
        assert session.exec(select(PersonRow.phone_mask).where(PersonRow.code == owners.pop())).one() == "139****0001"


def test_merged_cells_of_dates_hold_for_those_who_share_the_room(house: House) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["楼栋", "房号", "房间", "租客姓名", "与承租人关系", "起租日", "到租日"])
    sheet.append(["3幢", "501", "主卧", "张三", "本人", date(2026, 1, 1), "不定期"])
    sheet.append([None, None, "主卧", "李四", "配偶", None, None])
    sheet.append([None, None, "次卧", "赵六", "本人", None, None])
    for cells in ("A2:A4", "B2:B4", "F2:F3"):
        sheet.merge_cells(cells)
    path = house.folder / "m.xlsx"
    book.save(path)
    options = ImportOptions(ESTATE)
    report = import_file(house.db, path, options, vault=house.vault, organisation_key=KEY, now=house.now)
    assert [(fault.row, fault.key) for fault in report.errors] == [(4, "起租日")]


HEADERS: list[object] = ["楼栋", "房号", "租客姓名", "证件号码", "手机号", "起租日", "到租日", "门禁凭证号"]


def test_the_same_person_by_document_here_and_by_phone_there_is_one(house: House) -> None:
    load_twice(
        house,
        [
            HEADERS,
            ["3", "501", "张三", "", "13800001234", "2026-01-01", "", ""],
            ["3", "601", "张三", ID, "13800001234", "2026-01-01", "", ""],
        ],
    )
    with house.db.read() as session:
        assert len(set(session.exec(select(PersonRow.code)))) == 1


def test_a_document_that_comes_later_belongs_to_who_is_there_already(house: House) -> None:
    load(house, [HEADERS, ["3", "501", "张三", "", "", "2026-01-01", "", ""]])
    load_twice(house, [HEADERS, ["3", "501", "张三", ID, "13800001234", "2026-01-01", "", ""]])
    assert people(house, "3-501") == ["张*"]
    load_twice(house, [HEADERS, ["3", "501", "张三", "", "13800001234", "2026-01-01", "", ""]])
    assert unit(house, "3-501").occupants[0].person.has_document, "a blank cell takes nothing away"


def test_different_phones_of_one_person_do_not_take_turns(house: House) -> None:
    """Far apart in the file, so that they are looked at in different pieces."""
    rows: list[list[object]] = [["3", "1", "张三", ID, "13800001234", "2026-01-01", "", ""]]
    rows += [["4", str(n), f"人{n}", "", "", "2026-01-01", "", ""] for n in range(2, 400)]
    rows += [["3", "400", "张三", ID, "13800005678", "2026-01-01", "", ""]]
    load_twice(house, [HEADERS, *rows])


def test_one_card_for_two_people_is_refused_with_both_rows(house: House) -> None:
    report = load(
        house,
        [
            HEADERS,
            ["3", "501", "张三", "", "", "2026-01-01", "", "0001701559"],
            ["3", "502", "李四", "", "", "2026-01-01", "", "0001701559"],
        ],
    )
    assert [(fault.row, fault.key) for fault in report.errors] == [(3, "门禁凭证号")]
    assert "2" in report.errors[0].what


def test_leases_that_overlap_name_row_and_column_and_the_mend(house: House) -> None:
    report = load(
        house,
        [
            HEADERS,
            ["3", "501", "张三", "", "", "2026-01-01", "2026-12-31", ""],
            ["3", "501", "李四", "", "", "2026-06-01", "2027-05-31", ""],
        ],
    )
    assert [(fault.row, fault.key) for fault in report.errors] == [(3, "起租日")]
    assert "终止日期" in report.errors[0].what


def test_an_old_file_undoes_nothing_that_was_entered_by_hand(house: House) -> None:
    rows = [HEADERS, ["3", "501", "张三", ID, "13800001234", "2026-01-01", "", "0001701559"]]
    load(house, rows)
    day = house.now.date()
    house.now += timedelta(hours=1)
    code = f"{ESTATE}-3-501"
    with house.db.write() as session:
        changes: list[Change] = check_out(
            session, CheckOut(code, f"{code}@2026-01-01", day), now=house.now, by="user:li"
        )
        changes += set_counting(session, code, opted_out=True, now=house.now + timedelta(seconds=1), by="user:li")
    assert changes
    again = load(house, rows)
    assert (again.added, again.changed, again.errors) == (0, 0, [])
    found = unit(house, "3-501")
    assert (found.is_vacant, found.counting_opt_out, found.leases[0].ended_on) == (True, True, day)
    assert found.credentials[0].valid_to is not None


def test_what_the_registry_held_is_still_known_after_a_change(house: House) -> None:
    load(house, [HEADERS, ["3", "501", "张三", ID, "", "2026-01-01", "2026-06-30", ""]])
    then = house.now
    house.now += timedelta(days=1)
    report = load(house, [HEADERS, ["3", "501", "张三", ID, "", "2026-01-01", "2026-12-31", ""]])
    assert (report.added, report.changed) == (0, 1)
    for at, end in ((then, date(2026, 6, 30)), (house.now, date(2026, 12, 31))):
        registry = RegistrySnapshot()
        with house.db.read() as session:
            registry.refresh(session, at)
            found = registry.unit(session, f"{ESTATE}-3-501")
        assert found is not None
        assert found.leases[0].end_on == end


@pytest.mark.parametrize(
    "cells",
    [
        ["3", "501", "张三", "9.9E+17", "", "2026-01-01", "", ""],
        ["3", "501", "张三", "990000199001010000", "", "2026-01-01", "", ""],
        ["3", "501", "张三", "990000199013010017", "", "2026-01-01", "", ""],
        ["3", "501", "张三", "", "1380000", "2026-01-01", "", ""],
        ["3", "501", "\x07", "", "", "2026-01-01", "", ""],
        ["3", "501", "张三", "", "", "2026-02-30", "", ""],
        ["3", "501", "张三", "", "", "2026-02-01", "2026-01-01", ""],
        ["三幢", "5;1", "张三", "", "", "2026-02-01", "", ""],
        ["3", "", "张三", "", "", "2026-02-01", "", ""],
        ["3", "501", "张三", "", "", "", "", ""],
        ["3", "501", "张" * 70, "", "", "2026-02-01", "", ""],
        ["3" * 130, "501", "张三", "", "", "2026-02-01", "", ""],
    ],
)
def test_a_bad_cell_is_named_with_its_column_and_nothing_of_the_file_is_applied(house: House, cells: list[str]) -> None:
    report = load(house, [HEADERS, list(cells), ["3", "502", "李四", "", "", "2026-01-01", "", ""]])
    assert not report.is_applied
    (fault,) = report.errors
    assert fault.row == 2
    assert fault.key in {*HEADERS, "楼栋"}
    with house.db.read() as session:
        assert session.exec(select(UnitRow)).all() == []


def test_a_folder_of_odd_files_is_refused_in_words(house: House, tmp_path: Path) -> None:
    assert CHILD
    for name, data in (("a.xls", b"\xd0\xcf\x11\xe0"), ("a.xlsx", b"PK\x03\x04x"), ("a.csv", b"\x00\x01\x02")):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(Exception, match=name):
            import_file(house.db, path, ImportOptions(ESTATE), vault=house.vault, organisation_key=KEY, now=house.now)
