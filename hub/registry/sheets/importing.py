"""Brings a table into the registry, or says what that would do: everything or nothing.

Looking is done by readers and takes as long as it takes; what is to change waits in a spool and is then written at
once, so that an alarm never waits for an import. When the registry changed meanwhile, it is looked at again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlmodel import Session, func, select

from hub.domain.local_time import local_day
from hub.domain.scopes import is_within_any
from hub.errors import BusyError, RegistryError
from hub.registry.changeset import Step, Wanted, compare, current, held_of
from hub.registry.checks import faults_of
from hub.registry.personal_data.vault import Vault
from hub.registry.sheets.known import known_people
from hub.registry.sheets.reading import Table, read_tables
from hub.registry.sheets.records import Making, building_code, building_row, unit_records
from hub.registry.sheets.rows import Fault, Line, Parsed, parse_tables
from hub.registry.sheets.spool import Spool
from hub.registry.sheets.unsaid import keep_unsaid
from hub.registry.snapshot import read_rows
from hub.registry.yaml_import.seed_rows import NOT_YET
from hub.store.changes import record_changes
from hub.store.database import Database
from hub.store.tables.registry import BuildingRow, LeaseRow, OccupantRow, RegistryRevision, ScopeRow
from hub.store.turns import acquire_write_lock

_UNITS_AT_ONCE: Final = 250
_MOST_FAULTS: Final = 5000
_TRIES: Final = 3
OnProgress = Callable[[int, int], None]


@dataclass(slots=True)
class RowResult:
    """What becomes of one row. `does`: add, change, same or refused."""

    sheet: str
    row: int
    does: str
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do. `is_applied` is False for a dry run, and when any row is refused."""

    file: str
    rows: int
    units: int
    is_applied: bool = False
    added: int = 0
    changed: int = 0
    same: int = 0
    results: list[RowResult] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many rows cannot be taken."""
        return sum(1 for result in self.results if result.does == "refused")

    @property
    def errors(self) -> list[Fault]:
        """What stands in the way."""
        return [fault for fault in self.faults if not fault.is_warning]


Also = Callable[[Session, ImportReport], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`estate`: the code in front of buildings. `jurisdiction`: of buildings that the registry does not have yet.

    `scopes`: beginnings of the codes that units may have; empty is all.
    """

    estate: str
    jurisdiction: str = ""
    is_dry_run: bool = False
    by: str = "cli"
    scopes: tuple[str, ...] = ()


def import_file(
    database: Database,
    path: Path,
    options: ImportOptions,
    *,
    vault: Vault,
    organisation_key: bytes,
    now: datetime,
    on_progress: OnProgress = lambda done, of: None,
    also: Also = lambda session, report: None,
) -> ImportReport:
    """Import a file. Raises RegistryError when the file itself cannot be read.

    Rows that are wrong are in the report; when there are any, nothing is applied.
    """
    tables = read_tables(path)
    return import_tables(
        database,
        tables,
        options,
        vault=vault,
        organisation_key=organisation_key,
        now=now,
        on_progress=on_progress,
        also=also,
    )


def import_tables(
    database: Database,
    tables: Sequence[Table],
    options: ImportOptions,
    *,
    vault: Vault,
    organisation_key: bytes,
    now: datetime,
    on_progress: OnProgress = lambda done, of: None,
    also: Also = lambda session, report: None,
) -> ImportReport:
    """`import_file` for tables that were read already. `also` runs in the transaction that applies it.

    Raises BusyError when others kept changing the registry meanwhile.
    """
    by = f"import:{tables[0].file}"[:100] if options.by == "cli" else options.by
    for _ in range(_TRIES):
        spool = Spool()
        try:
            with database.read() as session:
                revision = _revision(session)
                making = _making(
                    session, tables[0].file, options, vault=vault, organisation_key=organisation_key, now=now
                )
                report = _look(session, tables, options, making, spool=spool, on_progress=on_progress)
            if options.is_dry_run or report.errors:
                return report
            with database.write() as session:
                acquire_write_lock(session)
                if _revision(session) != revision:
                    continue
                record_changes(session, spool.write(session, now, by), now)
                report.is_applied = True
                also(session, report)
            return report
        finally:
            spool.close()
    raise BusyError(
        "其他人正在修改台账，未写入任何内容，请稍后重试 / "
        "import: others are changing the registry; nothing was applied. Import again"
    )


def _revision(session: Session) -> int:
    return session.exec(select(func.max(RegistryRevision.id))).one() or 0


def _making(
    session: Session, file: str, options: ImportOptions, *, vault: Vault, organisation_key: bytes, now: datetime
) -> Making:
    return Making(
        file,
        options.estate,
        options.jurisdiction,
        vault,
        organisation_key,
        today=local_day(now),
        known=known_people(session),
    )


def _look(
    session: Session,
    tables: Sequence[Table],
    options: ImportOptions,
    making: Making,
    *,
    spool: Spool,
    on_progress: OnProgress,
) -> ImportReport:
    parsed = parse_tables(tables, options.estate, making.today)
    report = ImportReport(making.file, parsed.rows, len(parsed.units), faults=list(parsed.faults))
    report.faults += _out_of_scope(parsed, options.scopes)
    report.dropped = sorted({header for table in tables for header in table.dropped})
    report.unknown = sorted({header for table in tables for header in table.unknown})
    for lines in parsed.units.values():
        making.known.learn(making.vault, lines)
    for lines in parsed.units.values():
        making.learn(lines)
    done_to: dict[tuple[str, int], set[str]] = {}
    done = 0
    for chunk in _chunks(list(parsed.units.items())):
        making.wanted, making.faults, making.stays = [], [], _stays(session, chunk)
        _buildings(session, [lines[0] for _, lines in chunk], making)
        for code, lines in chunk:
            unit_records(code, lines, making)
        steps = _plan(session, making, report)
        for step in steps:
            report.added += step.kind == "add"
            report.changed += step.kind == "change"
            report.same += step.kind == "same"
            if step.wanted.where.line:
                done_to.setdefault((step.wanted.where.sheet, step.wanted.where.line), set()).add(_words(step))
        if not report.errors:
            spool.add(steps)
        session.expunge_all()
        done += len(chunk)
        on_progress(done, len(parsed.units))
    report.results = _results(done_to, report.faults)
    report.faults = report.faults[:_MOST_FAULTS]
    return report


def _plan(session: Session, making: Making, report: ImportReport) -> list[Step]:
    # Who stands in several rows of one unit has one stay: the last one counts.
    wanted = list({(type(item.row), item.row.code): item for item in making.wanted}.values())
    held = held_of(session, wanted)
    keep_unsaid(wanted, held)
    report.faults += making.faults
    for where, what in faults_of(session, wanted, making.coming):
        report.faults.append(Fault(where.sheet, where.line, where.key, what))
    for item in wanted:
        if type(item.row) in making.coming:
            making.coming[type(item.row)].add(item.row.code)
    return compare(wanted, held)


def _stays(session: Session, chunk: Sequence[tuple[str, list[Line]]]) -> dict[tuple[str, str], date]:
    """Since when the registry has people in units of which the table does not say it."""
    units = [code for code, lines in chunk if any(line.name and line.start is None for line in lines)]
    found = read_rows(session, OccupantRow, None, OccupantRow.unit_code, units) if units else []
    leases = (
        {row.code: row.start_on for row in read_rows(session, LeaseRow, None, LeaseRow.unit_code, units)}
        if units
        else {}
    )
    return {(row.unit_code, row.person_code): leases.get(row.lease_code or "", row.from_on) for row in found}


def _out_of_scope(parsed: Parsed, scopes: tuple[str, ...]) -> Iterator[Fault]:
    for code, lines in parsed.units.items():
        if scopes and not is_within_any((code,), scopes):
            for line in lines:
                yield Fault(
                    line.sheet, line.row, "房号", f"房屋 {code} 不在您的范围内 / unit {code} is not in your scope"
                )


def _words(step: Step) -> str:
    table = type(step.wanted.row).__name__.lower()
    if step.kind == "change":
        fields = ", ".join(name for name in step.fields if not name.endswith(("_index", "_sealed")))
        return f"change {table}: {fields}"
    return f"{step.kind} {table}"


def _results(done_to: dict[tuple[str, int], set[str]], faults: Sequence[Fault]) -> list[RowResult]:
    bad: dict[tuple[str, int], list[str]] = {}
    said: dict[tuple[str, int], list[str]] = {}
    for fault in faults:
        text = f"{fault.key}: {fault.what}" if fault.key else fault.what
        (said if fault.is_warning else bad).setdefault((fault.sheet, fault.row), []).append(text)
    found = []
    for key in sorted({*done_to, *bad, *said}):
        words = done_to.get(key, set())
        if key in bad:
            does = "refused"
        elif any(word.startswith("add") for word in words):
            does = "add"
        else:
            does = "change" if any(word.startswith("change") for word in words) else "same"
        notes = [*bad.get(key, []), *said.get(key, [])]
        notes += sorted(word for word in words if word.startswith("change") and key not in bad)
        found.append(RowResult(*key, does, notes))
    return found


def _chunks(units: list[tuple[str, list[Line]]]) -> Iterator[list[tuple[str, list[Line]]]]:
    for start in range(0, len(units), _UNITS_AT_ONCE):
        yield units[start : start + _UNITS_AT_ONCE]


def _buildings(session: Session, lines: Sequence[Line], making: Making) -> None:
    """Buildings, and the estate, that neither the registry nor an earlier row has."""
    wanted = {building_code(making.estate, line): line for line in lines}
    seen, scopes = making.coming[BuildingRow], making.coming[ScopeRow]
    missing = wanted.keys() - seen - current(session, BuildingRow, wanted).keys()
    if missing and making.estate not in scopes and making.estate not in current(session, ScopeRow, [making.estate]):
        name = next((line.estate for line in lines if line.estate), making.estate)
        making.wanted.append(Wanted(ScopeRow(code=making.estate, known_from=NOT_YET, kind="estate", name=name)))
    for code in sorted(missing):
        making.add(building_row(code, wanted[code], making), wanted[code])


def check_options(options: ImportOptions) -> None:
    """Raises RegistryError for an estate or jurisdiction that cannot be one."""
    if not options.estate or len(options.estate) > 64 or any(sign.isspace() for sign in options.estate):
        raise RegistryError(
            "estate: 请填写小区编码，如 330702-0001 / "
            "--estate: the code in front of the buildings is needed, such as 330702-0001"
        )
    if options.jurisdiction and not (len(options.jurisdiction) == 6 and options.jurisdiction.isdigit()):
        raise RegistryError(
            "jurisdiction: 行政区划代码为 6 位数字，如 330702 / "
            "--jurisdiction: a region code of six digits, such as 330702"
        )
