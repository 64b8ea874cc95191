"""Brings a table into the ledger, or says what that would do: one transaction, everything or nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from hub.errors import RegistryError
from hub.facts import Change
from hub.registry.changeset import Step, Wanted, apply, current, fill, keep_known, plan
from hub.registry.checks import faults_of
from hub.registry.ledger import held_at
from hub.registry.seed_rows import NOT_YET
from hub.registry.sheets.reading import Table, read_tables
from hub.registry.sheets.records import KnownPeople, Making, building_code, building_row, unit_records
from hub.registry.sheets.rows import Fault, Line, Parsed, parse_tables
from hub.registry.vault import Vault
from hub.rules.local_time import local_day
from hub.store.tables.registry import Building, Person, Scope

_UNITS_AT_ONCE: Final = 250
_MOST_FAULTS: Final = 5000
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
    changes: list[Change] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many rows cannot be taken."""
        return sum(1 for result in self.results if result.does == "refused")

    @property
    def errors(self) -> list[Fault]:
        """What stands in the way."""
        return [fault for fault in self.faults if not fault.is_warning]


class _DryRunOverError(Exception):
    """Ends a savepoint, so that nothing of it stays."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`estate`: the code in front of buildings. `jurisdiction`: of buildings that the ledger does not have yet.

    `scopes`: beginnings of the codes that units may have; empty is all.
    """

    estate: str
    jurisdiction: str = ""
    is_dry_run: bool = False
    by: str = "cli"
    scopes: tuple[str, ...] = ()


def import_file(
    session: Session,
    path: Path,
    options: ImportOptions,
    *,
    vault: Vault,
    organisation_key: bytes,
    now: datetime,
    on_progress: OnProgress = lambda done, of: None,
) -> ImportReport:
    """Import a file in the caller's transaction. Raises RegistryError when the file itself cannot be read.

    Rows that are wrong are in the report; when there are any, nothing is applied.
    """
    tables = read_tables(path)
    return import_tables(
        session, tables, options, vault=vault, organisation_key=organisation_key, now=now, on_progress=on_progress
    )


def import_tables(
    session: Session,
    tables: Sequence[Table],
    options: ImportOptions,
    *,
    vault: Vault,
    organisation_key: bytes,
    now: datetime,
    on_progress: OnProgress = lambda done, of: None,
) -> ImportReport:
    """`import_file` for tables that were read already."""
    today = local_day(now)
    name = tables[0].file
    parsed = parse_tables(tables, options.estate, today)
    report = ImportReport(name, parsed.rows, len(parsed.units), faults=list(parsed.faults))
    report.faults += _out_of_scope(parsed, options.scopes)
    report.dropped = sorted({header for table in tables for header in table.dropped})
    report.unknown = sorted({header for table in tables for header in table.unknown})
    known = known_people(session)
    steps_of: dict[tuple[str, int], set[str]] = {}
    try:
        # A savepoint: a dry run, and a file with a bad row, leave nothing behind.
        with session.begin_nested():
            done = 0
            for chunk in _chunks(list(parsed.units.items())):
                making = Making(name, options.estate, options.jurisdiction, vault, organisation_key, today, known)
                _buildings(session, [lines[0] for _, lines in chunk], making)
                for code, lines in chunk:
                    unit_records(code, lines, making)
                _take(session, making, report, steps_of, now=now, by=options.by)
                done += len(chunk)
                on_progress(done, len(parsed.units))
            if options.is_dry_run or report.errors:
                raise _DryRunOverError
    except _DryRunOverError:
        report.changes = []
    else:
        report.is_applied = True
    report.results = _results(steps_of, report.faults)
    report.faults = report.faults[:_MOST_FAULTS]
    return report


def _out_of_scope(parsed: Parsed, scopes: tuple[str, ...]) -> Iterator[Fault]:
    for code, lines in parsed.units.items():
        if scopes and not any(code == scope or code.startswith(f"{scope}-") for scope in scopes):
            for line in lines:
                yield Fault(
                    line.sheet, line.row, "房号", f"房屋 {code} 不在您的范围内 / unit {code} is not in your scope"
                )


def _take(
    session: Session,
    making: Making,
    report: ImportReport,
    steps_of: dict[tuple[str, int], set[str]],
    *,
    now: datetime,
    by: str,
) -> None:
    wanted = _once(making.wanted)
    keep_known(session, wanted)
    report.faults += making.faults
    for where, what in faults_of(session, wanted):
        report.faults.append(Fault(where.sheet, where.line, where.key, what))
    steps = plan(session, wanted)
    for step in steps:
        report.added += step.kind == "add"
        report.changed += step.kind == "change"
        report.same += step.kind == "same"
        if step.wanted.where.line:
            steps_of.setdefault((step.wanted.where.sheet, step.wanted.where.line), set()).add(_words(step))
    if not report.errors:
        report.changes += apply(session, steps, now, f"import:{making.file}"[:100] if by == "cli" else by)
    session.expunge_all()


def _once(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Each record once. Somebody who stands in several rows: the row with most of them counts."""
    found: dict[tuple[type, str], Wanted] = {}
    for item in wanted:
        key = (type(item.row), item.row.code)
        held = found.get(key)
        if held is not None and isinstance(item.row, Person) and isinstance(held.row, Person):
            fill(item.row, held.row)
        found[key] = item
    return list(found.values())


def _words(step: Step) -> str:
    table = type(step.wanted.row).__name__.lower()
    if step.kind == "change":
        fields = ", ".join(name for name in step.fields if not name.endswith(("_index", "_sealed")))
        return f"change {table}: {fields}"
    return f"{step.kind} {table}"


def _results(steps_of: dict[tuple[str, int], set[str]], faults: Sequence[Fault]) -> list[RowResult]:
    bad: dict[tuple[str, int], list[str]] = {}
    said: dict[tuple[str, int], list[str]] = {}
    for fault in faults:
        text = f"{fault.key}: {fault.what}" if fault.key else fault.what
        (said if fault.is_warning else bad).setdefault((fault.sheet, fault.row), []).append(text)
    found = []
    for key in sorted({*steps_of, *bad, *said}):
        words = steps_of.get(key, set())
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


def known_people(session: Session) -> KnownPeople:
    """Everybody whom the ledger has, by what is written of them."""
    known = KnownPeople()
    query = select(Person.code, Person.document_index, Person.name_index, Person.phone_index)
    for code, document, name, phone in session.exec(query.where(held_at(Person, None)).order_by(col(Person.code))):
        if document is not None:
            known.by_document.setdefault(document, code)
        if name is not None and phone is not None:
            known.by_name_and_phone.setdefault((name, phone), code)
    return known


def _chunks(units: list[tuple[str, list[Line]]]) -> Iterator[list[tuple[str, list[Line]]]]:
    for start in range(0, len(units), _UNITS_AT_ONCE):
        yield units[start : start + _UNITS_AT_ONCE]


def _buildings(session: Session, lines: Sequence[Line], making: Making) -> None:
    wanted = {building_code(making.estate, line): line for line in lines}
    held = current(session, Building, wanted)
    for code, line in wanted.items():
        if code not in held:
            making.add(building_row(code, line, making), line)
    if making.estate and making.estate not in current(session, Scope, [making.estate]) and wanted.keys() - held.keys():
        name = next((line.estate for line in lines if line.estate), making.estate)
        making.wanted.insert(
            0,
            Wanted(Scope(code=making.estate, known_from=NOT_YET, kind="estate", name=name)),
        )


def check_options(options: ImportOptions) -> None:
    """Raises RegistryError for an estate or jurisdiction that cannot be one."""
    if not options.estate or len(options.estate) > 64 or any(sign.isspace() for sign in options.estate):
        raise RegistryError("--estate: the code in front of the buildings is needed, such as 330702-0001")
    if options.jurisdiction and not (len(options.jurisdiction) == 6 and options.jurisdiction.isdigit()):
        raise RegistryError("--jurisdiction: a region code of six digits, such as 330702")
