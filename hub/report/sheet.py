"""The monthly report as a workbook: numbers as numbers, a sheet for each table. The same report, the same bytes."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.xml.constants import ARC_CORE
from openpyxl.xml.functions import tostring

from hub.registry.sheets.writing import guarded
from hub.report.tables import Language, Part, tables_of, title_of
from hub.report.views import MonthlyReport

_FORMATS: Final = {"share": "0.0%", "seconds": "[h]:mm:ss", "number": "0"}
_DAY_S: Final = 86_400
_SAME: Final = (1980, 1, 1, 0, 0, 0)
_TITLE_MOST: Final = 31


def write_xlsx(report: MonthlyReport, language: Language) -> bytes:
    """The workbook in `zh` or `en`."""
    book = Workbook()
    cover = book.active
    assert cover is not None
    title, lines = title_of(report, language)
    cover.title = report.month
    for text in (title, *lines):
        cover.append([guarded(text)])
    cover["A1"].font = Font(bold=True, size=16)
    cover.column_dimensions["A"].width = 80
    for found in tables_of(report, language, is_wide=True):
        sheet = book.create_sheet(found.title[:_TITLE_MOST])
        sheet.append(list(found.head))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        for row, forms in zip(found.rows, found.forms, strict=True):
            sheet.append([_value(part, form) for part, form in zip(row, forms, strict=True)])
            for cell, form in zip(sheet[sheet.max_row], forms, strict=True):
                if form in _FORMATS:
                    cell.number_format = _FORMATS[form]
        sheet.freeze_panes = "B2"
        for n, weight in enumerate(found.widths, 1):
            sheet.column_dimensions[get_column_letter(n)].width = max(12, 12 * weight if weight < 10 else weight)
    book.properties.creator = "Anfang"
    return _without_times(book, report.until.astimezone(UTC).replace(tzinfo=None))


def _value(part: Part, form: str) -> Part:
    if isinstance(part, str):
        return guarded(part)
    return part / _DAY_S if form == "seconds" and part is not None else part


def _without_times(book: Workbook, as_of: datetime) -> bytes:
    """The file without the moment of its writing in it; saving puts that into the properties."""
    plain, out = io.BytesIO(), io.BytesIO()
    book.save(plain)
    book.properties.created = book.properties.modified = as_of
    properties = tostring(book.properties.to_tree())
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = properties if name == ARC_CORE else source.read(name)
            target.writestr(zipfile.ZipInfo(name, _SAME), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
