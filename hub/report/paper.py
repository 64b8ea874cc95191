"""The monthly report on A4, as a PDF whose Chinese text needs no font file: the reader's own Song typeface is named.

The same report gives the same bytes.
"""

import io
from collections.abc import Sequence
from typing import Final

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer, Table, TableStyle

from hub.report.tables import Language, Part, ReportTable, tables_of, title_of
from hub.report.views import MonthlyReport

_FONT: Final = "STSong-Light"
_MARGIN: Final = 16 * mm
_LINE: Final = colors.HexColor("#c8cdd5")
_HEAD: Final = colors.HexColor("#eef1f5")
_MUTED: Final = colors.HexColor("#545b66")


def _style(name: str, size: float, **more: object) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=_FONT, fontSize=size, leading=size * 1.45, wordWrap="CJK", **more)


_TITLE: Final = _style("title", 19, spaceAfter=4)
_SECTION: Final = _style("section", 12.5, spaceBefore=10, spaceAfter=5, keepWithNext=1)
_NOTE: Final = _style("note", 8.5, textColor=_MUTED)
_CELL: Final = _style("cell", 8.5)
_NUMBER: Final = _style("number", 8.5, alignment=2)


def write_pdf(report: MonthlyReport, language: Language) -> bytes:
    """The document in `zh` or `en`."""
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    title, lines = title_of(report, language)
    story: list[Flowable] = [Paragraph(_plain(title), _TITLE), *(Paragraph(_plain(line), _NOTE) for line in lines)]
    for found in tables_of(report, language):
        story += [Paragraph(_plain(found.title), _SECTION), _table(found), Spacer(0, 3 * mm)]
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=title,
        author="Anfang",
        invariant=1,
    )
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, 0, 0, 0, 0)

    def foot(canvas: Canvas, _document: BaseDocTemplate) -> None:
        canvas.setFont(_FONT, 8)
        canvas.setFillColor(_MUTED)
        canvas.drawString(_MARGIN, 9 * mm, title)
        canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, str(canvas.getPageNumber()))

    document.addPageTemplates(PageTemplate("page", [frame], onPage=foot))
    document.build(story)
    return out.getvalue()


def _plain(text: str) -> str:
    """Text as a paragraph's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _table(found: ReportTable) -> Table:
    width = A4[0] - 2 * _MARGIN
    rows = [[Paragraph(_plain(text), _NUMBER if found.is_number[n] else _CELL) for n, text in enumerate(found.head)]]
    rows += [[_cell(part, n, found.is_number) for n, part in enumerate(row)] for row in found.shown]
    weights = sum(found.widths)
    table = Table(rows, colWidths=[width * weight / weights for weight in found.widths], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _cell(part: Part, n: int, is_number: Sequence[bool]) -> Paragraph:
    return Paragraph(_plain(str(part)), _NUMBER if is_number[n] else _CELL)
