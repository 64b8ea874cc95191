"""What people write in cells."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.registry.personal_data.identity import (
    clean_document,
    clean_phone,
    looks_cut_by_excel,
    mask_document,
    mask_name,
    mask_phone,
)
from hub.registry.sheets import cells
from hub.registry.sheets.writing import guarded

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    "text",
    [
        "20240101",
        "2024/1/1",
        "2024.1.1",
        "2024-01-01",
        "2024年1月1日",
        "45292",
        "２０２４－０１－０１",
        "2024-01-01 00:00:00",
        "'2024/01/01",
    ],
)
def test_every_way_to_write_a_day_is_the_same_day(text: str) -> None:
    assert cells.to_date(text) == date(2024, 1, 1)


@pytest.mark.parametrize("text", ["长期", "至今", "不定期", ""])
def test_what_has_no_end_is_no_day(text: str) -> None:
    assert cells.to_date(text) is None


@pytest.mark.parametrize("text", ["2024-02-30", "明天", "123", "2024-13-01", "0001-01-01", "99999999"])
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026-01-31|1980"):
        cells.to_date(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("3-2-501", ("3", "2", "501")),
        ("3幢2单元501室", ("3", "2", "501")),
        ("3栋2单元501", ("3", "2", "501")),
        ("3#2-501", ("3", "2", "501")),
        ("３幢２单元５０１室", ("3", "2", "501")),
        ("上王村123号3楼302", ("123", "", "302")),
        ("阳光小区3幢501", ("3", "", "501")),
        ("12-801", ("12", "", "801")),
    ],
)
def test_addresses_are_understood_in_every_form(text: str, parts: tuple[str, str, str]) -> None:
    found = cells.to_address(text)
    assert (found.building, found.entrance, found.door) == parts


def test_a_correct_id_is_taken_and_gives_its_birth_date() -> None:
    found = clean_document("id_card", "９９００００１９９００１０１００１７", TODAY)
    assert (found.number, found.is_valid, found.born_on) == ("990000199001010017", True, date(1990, 1, 1))


def test_the_published_example_with_x_is_valid() -> None:
    assert clean_document("id_card", "11010519491231002x", TODAY).number == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("990000199001010018", "校验位"),
        ("990000199001010000", "Excel"),
        ("99000019900101001", "17"),
        ("abc", "17"),
        ("990000199002300013", "日期|校验"),
    ],
)
def test_a_wrong_id_says_what_is_wrong(number: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        clean_document("id_card", number, TODAY)


def test_cut_by_excel_is_not_said_of_a_number_whose_check_digit_is_right() -> None:
    assert not looks_cut_by_excel("990000199001010017")


def test_masks_show_no_more_than_they_may() -> None:
    assert (mask_name("张三"), mask_phone("13800001234"), mask_document("11010519491231002X")) == (
        "张*",
        "138****1234",
        "**************002X",
    )


@pytest.mark.parametrize("text", ["=1+1", "+86138", "-1", "@SUM(A1)", "\t=1", "|cmd"])
def test_nothing_that_is_written_is_a_formula(text: str) -> None:
    assert guarded(text) == f"'{text}"


@given(st.text())
def test_any_text_gives_a_value_or_a_fault_never_a_traceback(text: str) -> None:
    for parse in (
        cells.to_date,
        cells.to_area,
        cells.to_room_type,
        cells.to_relation,
        cells.to_registered,
        cells.to_region,
        cells.to_address,
        clean_phone,
        lambda t: cells.to_place_number(t, "幢|栋"),
        lambda t: clean_document("id_card", t, TODAY),
        lambda t: clean_document("passport", t, TODAY),
    ):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.datetimes(), st.text()))
def test_any_cell_of_a_spreadsheet_has_a_text(value: object) -> None:
    assert isinstance(cells.cell_text(value), str)
