"""Figures for those who answer for many houses: scopes, today at a glance, and the monthly report."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from hub.access.roles import Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.read_models.scopes import SharedSnapshot, list_scopes
from hub.report.month import month_of
from hub.report.monthly import monthly_report
from hub.report.overview import Overview, overview
from hub.report.paper import write_pdf
from hub.report.sheet import write_xlsx
from hub.report.views import MonthlyReport
from hub.retention.schedule import Period
from hub.retention.settings import schedule_of
from hub.store.audit import Audited, append_audit

router = APIRouter(tags=["reports"])
Reader = Annotated[Caller, Depends(Allow(Right.SEE_REPORTS))]
ScopeCode = Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$", description='"" is all that the caller sees')]
MonthName = Annotated[str | None, Query(max_length=16, description="2026-11; without it, the one that runs")]
AsOf = Annotated[AwareDatetime | None, Query(description="for a month that runs: up to then; without it, now")]

_COUNTED = (Period.TELEMETRY, Period.ALERTS_FALSE, Period.ALERTS_CLOSED, Period.REJECTED)
"""What a report counts; the shortest of their times is how far back it is whole."""
_FILES = {
    "pdf": ("application/pdf", write_pdf),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
}


class ScopeOut(BaseModel):
    """A node of the tree of scopes, or a building (`kind`)."""

    code: str
    kind: str
    name: str
    parent: str | None


@router.get("/scopes")
def scopes(
    request: Request,
    caller: Annotated[Caller, Depends(Allow(Right.SEE_UNITS))],
    cursor: Cursor = None,
    limit: Limit = 500,
) -> Page[ScopeOut]:
    """The nodes that hold a building which the caller sees, and those buildings, by code."""
    after = from_cursor(cursor, str) or ""
    with services_of(request).database.read() as session:
        nodes = [node for node in list_scopes(session, caller.sees) if node.code > after]
    items = [ScopeOut.model_validate(node, from_attributes=True) for node in nodes[:limit]]
    return Page(items=items, next=to_cursor(items[-1].code) if nodes[limit:] else None)


def _report(
    request: Request, caller: Caller, month: str | None, scope: str, as_of: AwareDatetime | None
) -> MonthlyReport:
    services = services_of(request)
    now = services.clock.now()
    with services.database.read() as session:
        schedule = schedule_of(session)
        kept_since = max(schedule.cutoff(period, now) for period in _COUNTED)
        found = month_of(month, min(as_of or now, now))
        return monthly_report(session, found, scope, caller.sees, kept_since=kept_since)


@router.get("/report")
def report(
    request: Request, caller: Reader, month: MonthName = None, scope: ScopeCode = "", as_of: AsOf = None
) -> MonthlyReport:
    """平安月报: the figures of a month with their definitions. A past one stays the same while its data is kept."""
    return _report(request, caller, month, scope, as_of)


@router.get("/report/file", response_class=Response)
def report_file(
    *,
    request: Request,
    caller: Reader,
    form: Annotated[Literal["pdf", "xlsx"], Query(alias="format")] = "pdf",
    language: Literal["zh", "en"] = "zh",
    month: MonthName = None,
    scope: ScopeCode = "",
    as_of: AsOf = None,
) -> Response:
    """The report as a file; that it was taken is a line in the audit trail."""
    found = _report(request, caller, month, scope, as_of)
    media_type, write = _FILES[form]
    content = write(found, language)
    services = services_of(request)
    with services.database.write() as session:
        done = Audited(caller.name, caller.role, "report.export", scope, detail=f"{found.month} {form}")
        append_audit(session, done, services.clock.now())
    name = f"anfang-{found.month}.{form}"
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/overview")
def today(request: Request, caller: Reader, scope: ScopeCode = "") -> Overview:
    """Now, today and the last weeks in figures; for a wall, nobody is named in it."""
    services = services_of(request)
    kept: SharedSnapshot = request.app.state.shared_snapshot
    with kept.lock, services.database.read() as session:
        return overview(session, scope, caller.sees, services.clock.now(), registry=kept.registry)
