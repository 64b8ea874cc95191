"""The registry by table: import with a dry run and corrections, the template, export."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field
from sqlmodel import Session

from hub.access.roles import Purpose, Right, sees_nothing
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, purpose_of, services_of
from hub.api.problems import Problem
from hub.errors import NotAllowedError
from hub.registry.personal_data.vault import load_vault
from hub.registry.sheets.columns import TEMPLATE
from hub.registry.sheets.exporting import export_rows
from hub.registry.sheets.importing import ImportOptions, ImportReport, check_options, import_tables
from hub.registry.sheets.reading import Correction, correct, read_bytes
from hub.registry.sheets.writing import write_csv, write_report, write_table, write_template
from hub.runtime.organisation_key import organisation_key
from hub.runtime.services import Services
from hub.store.audit import Audited, append_audit

router = APIRouter(tags=["registry"])

Keeping = Annotated[Caller, Depends(Allow(Right.KEEP_REGISTRY))]
Exporting = Annotated[Caller, Depends(Allow(Right.EXPORT_REGISTRY, Purpose.LEASE, Purpose.COMPLIANCE))]
Plain = Annotated[str, Field(max_length=256, pattern=r"^[^\x00]*$")]
MOST_ROWS_TOLD: Final = 2000
TITLE: Final = "房屋租赁台账"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
_SHEET: Final = {"type": "string", "format": "binary"}
_AS_XLSX: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {XLSX: {"schema": _SHEET}}, "description": "the file"}
}
_AS_EITHER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {XLSX: {"schema": _SHEET}, "text/csv": {"schema": _SHEET}}, "description": "the file"}
}


class CellIn(BaseModel):
    """A cell as a person mended it after a dry run. `column` is the file's header, or one of the template's."""

    model_config = ConfigDict(extra="forbid")

    sheet: Plain
    row: Annotated[int, Field(ge=1, le=10_000_000)]
    column: Plain
    value: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]


class ImportIn(BaseModel):
    """A file with what was mended in it. The hub keeps none of it: send the same file to look and to apply."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00/]+$", description="the file's name")]
    content: Annotated[Base64Bytes, Field(description="the XLSX or CSV file")]
    estate: Annotated[str, Field(max_length=64, pattern=r"^[^\s\x00]+$", description="the code in front of buildings")]
    jurisdiction: Annotated[str, Field(pattern=r"^([0-9]{6})?$", description="of buildings that are new")] = ""
    cells: Annotated[list[CellIn], Field(max_length=10_000)] = []
    apply: Annotated[bool, Field(description="false: say what would change, and change nothing")] = False


class FaultOut(BaseModel):
    """What is wrong with one cell, and its value. A warning does not keep the row out."""

    sheet: str
    row: int
    column: str
    value: str
    message: str
    is_warning: bool


class RowOut(BaseModel):
    """What becomes of one row."""

    sheet: str
    row: int
    does: Literal["add", "change", "same", "refused"]
    notes: list[str]


class ImportOut(BaseModel):
    """What an import did, or would do. Rows that stay the same are counted, not listed; refused ones come first."""

    rows: int
    units: int
    is_applied: bool
    added: int
    changed: int
    same: int
    refused: int
    dropped: Annotated[list[str], Field(description="columns that nobody here may keep; they were not read")]
    unknown: Annotated[list[str], Field(description="columns that are not understood, and passed over")]
    results: list[RowOut]
    is_cut: Annotated[bool, Field(description="there are more rows than are listed: take the report")]
    faults: list[FaultOut]


class ExportIn(BaseModel):
    """Which part of the registry, and whether people are opened: for that, `reason` says why."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["xlsx", "csv"] = "xlsx"
    within: Annotated[str | None, Field(max_length=128, pattern=r"^[^\x00]+$")] = None
    reveal: bool = False
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


@router.post("/registry/import")
def import_table(body: ImportIn, request: Request, caller: Keeping) -> ImportOut:
    """See what a table would change, or with `apply` bring it in: all of it, or nothing when one row is wrong."""
    report, values = _run(body, services_of(request), caller)
    listed = [result for result in report.results if result.does != "same"]
    listed.sort(key=lambda result: result.does != "refused")
    return ImportOut(
        rows=report.rows,
        units=report.units,
        is_applied=report.is_applied,
        added=report.added,
        changed=report.changed,
        same=report.same,
        refused=report.refused,
        dropped=report.dropped,
        unknown=report.unknown,
        results=[RowOut.model_validate(found, from_attributes=True) for found in listed[:MOST_ROWS_TOLD]],
        is_cut=len(listed) > MOST_ROWS_TOLD,
        faults=[
            FaultOut(
                sheet=fault.sheet,
                row=fault.row,
                column=fault.key,
                value=values.get((fault.sheet, fault.row, fault.key), ""),
                message=fault.what,
                is_warning=fault.is_warning,
            )
            for fault in report.faults[:MOST_ROWS_TOLD]
        ],
    )


@router.post("/registry/import/report", response_class=Response, responses=_AS_XLSX)
def import_report(body: ImportIn, request: Request, caller: Keeping) -> Response:
    """The same dry run as a table: what would become of each row."""
    report, _ = _run(body.model_copy(update={"apply": False}), services_of(request), caller)
    with tempfile.TemporaryDirectory(prefix="anfang-report-") as folder:
        path = Path(folder) / "report.xlsx"
        write_report(path, report)
        return _file(path.read_bytes(), "import-report.xlsx", XLSX)


@router.get("/registry/template", response_class=Response, responses=_AS_XLSX)
def template(_request: Request, _caller: Keeping) -> Response:
    """The canonical template, with a row of notes that the import skips."""
    with tempfile.TemporaryDirectory(prefix="anfang-template-") as folder:
        path = Path(folder) / "template.xlsx"
        write_template(path)
        return _file(path.read_bytes(), "registry-template.xlsx", XLSX)


@router.post("/registry/export", response_class=Response, responses=_AS_EITHER)
def export_table(body: ExportIn, request: Request, caller: Exporting) -> Response:
    """The registry as a table: people as masks, or opened with a reason by those who may."""
    services = services_of(request)
    now = services.clock.now()
    if body.reveal and not caller.may(Right.REVEAL_PERSONAL_DATA):
        raise NotAllowedError(
            "无权导出完整姓名与证件号 / "
            f"the right {Right.REVEAL_PERSONAL_DATA.value} is needed to open names and numbers"
        )
    if body.reveal and len(body.reason.strip()) < 4:
        raise Problem(
            "invalid", "reason: 请写明为何需要完整信息，将记入审计 / say why names and numbers are needed; it is kept"
        )
    if sees_nothing(caller.role, caller.scopes):
        raise NotAllowedError("within: 请指定范围 / a scope is needed")
    if body.within is not None and caller.scopes and not caller.sees(body.within):
        raise NotAllowedError(f"within: 超出您的范围 / scope {body.within}: not yours")
    scopes = (body.within,) if body.within is not None else caller.scopes
    _remember_export(services, caller, body, purpose_of(request), now)
    vault = load_vault(services.data_dir) if body.reveal else None
    with tempfile.TemporaryDirectory(prefix="anfang-export-") as folder, services.database.read() as session:
        path = Path(folder) / f"registry.{body.format}"
        rows = export_rows(session, now, scopes=scopes, vault=vault)
        if body.format == "xlsx":
            write_table(path, TITLE, TEMPLATE, rows)
        else:
            write_csv(path, TEMPLATE, rows)
        return _file(path.read_bytes(), path.name, XLSX if body.format == "xlsx" else CSV)


def _run(body: ImportIn, services: Services, caller: Caller) -> tuple[ImportReport, dict[tuple[str, int, str], str]]:
    """The report, and what stands in each cell that has a fault."""
    if not caller.sees(body.estate) and not any(scope.startswith(f"{body.estate}-") for scope in caller.scopes):
        raise NotAllowedError(f"estate: 超出您的范围 / {body.estate}: not in your scope")
    options = ImportOptions(
        body.estate, body.jurisdiction, is_dry_run=not body.apply, by=caller.name, scopes=caller.scopes
    )
    check_options(options)
    tables = read_bytes(body.content, body.name)
    correct(tables, [Correction(cell.sheet, cell.row, cell.column, cell.value) for cell in body.cells])
    vault, key = load_vault(services.data_dir), organisation_key(services.data_dir)
    now = services.clock.now()

    def remember(session: Session, report: ImportReport) -> None:
        detail = f"{body.name}: {report.added} added, {report.changed} changed"
        append_audit(session, Audited(caller.name, caller.role, "registry.import", body.estate, detail=detail), now)

    report = import_tables(
        services.database, tables, options, vault=vault, organisation_key=key, now=now, also=remember
    )
    if report.is_applied:
        services.feed.wake()
    wanted = {(fault.sheet, fault.row) for fault in report.faults[:MOST_ROWS_TOLD]}
    values = {
        (table.sheet, number, table.headers.get(key, key)): text
        for table in tables
        for number, cells in table.rows
        if (table.sheet, number) in wanted
        for key, text in cells.items()
    }
    return report, values


def _remember_export(services: Services, caller: Caller, body: ExportIn, purpose: str, now: datetime) -> None:
    action = "registry.export.revealed" if body.reveal else "registry.export"
    entry = Audited(
        caller.name, caller.role, action, body.within or "", purpose=purpose, reason=body.reason, detail=body.format
    )
    with services.database.write() as session:
        append_audit(session, entry, now)


def _file(data: bytes, name: str, media_type: str) -> Response:
    return Response(data, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
