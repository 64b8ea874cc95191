"""The monthly report as tables of words and numbers, the same for paper and sheet."""

from dataclasses import dataclass
from typing import Final, Literal

from hub.domain.local_time import local_text
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.report.definitions import ALERT_COLUMNS, BY_KEY
from hub.report.figures import share
from hub.report.views import AlertFigures, Definition, Figure, MonthlyReport

Part = str | int | float | None
Language = Literal["zh", "en"]
CLASSES: Final = {
    None: Text("合计", "All"),
    AlertClass.LIFE: Text("生命安全", "Life safety"),
    AlertClass.SECURITY: Text("安全", "Security"),
    AlertClass.COMPLIANCE: Text("合规", "Compliance"),
    AlertClass.WELFARE: Text("关怀", "Welfare"),
    AlertClass.TECHNICAL: Text("技术", "Technical"),
}
_SHORT: Final = (
    "opened",
    "answered",
    "answer_late",
    "settle_late",
    "resolved",
    "true",
    "false",
    "false_share",
    "open_at_end",
)
"""What fits the width of a page; the sheet has all of them."""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table. `rows` are plain values with `forms` for each cell's column; `shown` are the same as text."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Part, ...], ...]
    forms: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Which columns are set to the right."""
        return tuple(bool(self.rows) and all(forms[n] != "text" for forms in self.forms) for n in range(len(self.head)))

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        """The rows as people read them."""
        return tuple(
            tuple(as_text(value, form) for value, form in zip(row, forms, strict=True))
            for row, forms in zip(self.rows, self.forms, strict=True)
        )


def as_text(value: Part, form: str) -> str:
    """A value as it is written: 12.5%, 1:05:00, a dash for what cannot be said."""
    if value is None:
        return "—"
    if form == "share":
        return f"{float(value) * 100:.1f}%"
    if form == "seconds":
        minutes, seconds = divmod(round(float(value)), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(value)


def title_of(report: MonthlyReport, language: Language) -> tuple[str, list[str]]:
    """The title, and the lines under it."""
    scope = report.scope_name or ("全部" if language == "zh" else "everything")
    until = local_text(report.until)
    if language == "zh":
        year, month = report.month.split("-")
        state = "整月" if report.is_closed else "未满月"
        lines = [f"范围：{scope} {report.scope}", f"统计截至 {until}（北京时间，{state}）"]
        lines.append("规则包：" + "、".join(f"{pack.title.zh} {pack.version}" for pack in report.packs))
        if not report.is_whole:
            lines.append("注意：本月部分数据已超过保存期限，可能已被清理，数值可能小于当时。")
        return f"平安月报 {year}年{int(month)}月", [*lines, "只含汇总数据，不含任何人的姓名、电话、证件。"]
    state = "whole month" if report.is_closed else "month still running"
    lines = [f"Scope: {scope} {report.scope}", f"As of {until} (China time, {state})"]
    lines.append("Rule packs: " + ", ".join(f"{pack.title.en} {pack.version}" for pack in report.packs))
    if not report.is_whole:
        lines.append("Some data of this month is old enough to have been deleted: figures may be lower than they were.")
    return f"Safety report {report.month}", [*lines, "Aggregates only: nobody's name, phone or document."]


def tables_of(report: MonthlyReport, language: Language, *, is_wide: bool = False) -> list[ReportTable]:
    """Every table of the report. `is_wide`: with all columns, for a sheet."""

    def say(text: Text) -> str:
        return text.zh if language == "zh" else text.en

    columns = [BY_KEY[key] for key in (ALERT_COLUMNS if is_wide else _SHORT)]
    heads = {
        "houses": Text("房屋与登记", "Houses and registration"),
        "classes": Text("预警（按类别）", "Alerts by class"),
        "rules": Text("预警（按规则）", "Alerts by rule"),
        "devices": Text("设备与覆盖", "Devices and coverage"),
        "process": Text("申诉与查看", "Objections and looks"),
        "gateways": Text("网关在线", "Gateway uptime"),
        "events": Text("入库事件（按种类）", "Stored events by kind"),
        "definitions": Text("指标说明", "What the figures mean"),
    }
    figure, value = say(Text("指标", "Figure")), say(Text("数值", "Value"))

    def plain(key: str, figures: tuple[Figure, ...]) -> ReportTable:
        found = [BY_KEY[item.key] for item in figures]
        return ReportTable(
            key,
            say(heads[key]),
            (figure, value),
            tuple((say(about.title), item.value) for about, item in zip(found, figures, strict=True)),
            tuple(("text", about.form) for about in found),
            (3, 1),
        )

    def alerts(key: str, first: str, lines: list[tuple[str, AlertFigures]]) -> ReportTable:
        return ReportTable(
            key,
            say(heads[key]),
            (first, *(say(about.title) for about in columns)),
            tuple((name, *_values(figures, columns)) for name, figures in lines),
            tuple(("text", *(about.form for about in columns)) for _ in lines),
            (27, *(11 for _ in columns)),
        )

    return [
        alerts("classes", say(Text("类别", "Class")), [(say(CLASSES[f.alert_class]), f) for f in report.classes]),
        alerts("rules", say(Text("规则", "Rule")), [(f"{f.rule} {say(f.title)}", f) for f in report.rules]),
        plain("houses", report.houses),
        plain("devices", report.devices),
        plain("process", report.process),
        ReportTable(
            "gateways",
            say(heads["gateways"]),
            tuple(map(say, (Text("网关", "Gateway"), Text("楼栋", "Building"), Text("应有小时", "Hours due"),
                            Text("有数据小时", "Hours heard"), Text("在线率", "Uptime")))),
            tuple(
                (g.gateway, g.building or "", g.hours_due, g.hours_heard, share(g.hours_heard, g.hours_due))
                for g in report.gateways
            ),
            tuple(("text", "text", "number", "number", "share") for _ in report.gateways),
            (3, 3, 2, 2, 2),
        ),
        ReportTable(
            "events",
            say(heads["events"]),
            (say(Text("种类", "Kind")), say(Text("入库", "Stored")), say(Text("其中发生于上月及以前", "From before"))),
            tuple((say(found.title), found.stored, found.earlier) for found in report.events),
            tuple(("text", "number", "number") for _ in report.events),
            (3, 2, 2),
        ),
        ReportTable(
            "definitions",
            say(heads["definitions"]),
            (figure, say(Text("口径", "Meaning"))),
            tuple((say(about.title), say(about.meaning)) for about in report.definitions),
            tuple(("text", "text") for _ in report.definitions),
            (2, 6),
        ),
    ]  # fmt: skip


def _values(figures: AlertFigures, columns: list[Definition]) -> tuple[Part, ...]:
    return tuple(getattr(figures, about.key) for about in columns)
