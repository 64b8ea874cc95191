"""Tables out: the template, the report of an import, and the registry itself, safe to open in Excel."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from hub.registry.sheets.columns import TEMPLATE
from hub.registry.sheets.importing import ImportReport

_DOES: Final = {"add": "新增 add", "change": "变更 change", "same": "无变化 same", "refused": "拒绝 refused"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
_NOTES: Final = {
    "楼栋": "必填，如 3幢",
    "单元": "选填，如 2单元；没有写“无”",
    "房号": "必填，如 501",
    "房型": "居室/厨房/卫生间/阳台/过道/地下储藏室/车库",
    "面积口径": "使用面积/居住面积/建筑面积",
    "出租方式": "整租/合租",
    "证件类型": "身份证/护照/…",
    "证件号码": "请以文本格式填写",
    "起租日": "2026-01-31",
    "到租日": "2026-12-31 或 不定期",
    "居住登记状态": "已登记/未登记/无需登记",
    "门禁凭证号": "多个用；分隔",
}


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what looks like one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_table(path: Path, title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """An XLSX file with one sheet of text. Every cell is guarded, and written as text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    assert isinstance(sheet, WriteOnlyWorksheet)
    heading = []
    for header in headers:
        cell = WriteOnlyCell(sheet, value=header)
        cell.font = Font(bold=True)
        heading.append(cell)
    sheet.append(heading)
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=guarded(text))
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    book.save(path)


def write_csv(path: Path, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """The same as CSV in UTF-8, with the mark by which Excel knows it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headers)
        writer.writerows([guarded(text) for text in row] for row in rows)


def write_template(path: Path) -> None:
    """The canonical template with its row of notes, which the import skips."""
    write_table(path, "房屋租赁台账", TEMPLATE, [[_note(header) for header in TEMPLATE]])


def _note(header: str) -> str:
    return f"（说明）{_NOTES[header]}" if header in _NOTES else "（选填）"


def write_report(path: Path, report: ImportReport) -> None:
    """What an import did, or would do, row by row."""
    rows = [(r.sheet, str(r.row), _DOES[r.does], "\n".join(r.notes)) for r in report.results]
    rows += [("", "", "已丢弃列 dropped column", header) for header in report.dropped]
    rows += [("", "", "未识别列 unknown column", header) for header in report.unknown]
    write_table(path, "导入结果", ("表 sheet", "行 row", "结果 result", "说明 notes"), rows)
