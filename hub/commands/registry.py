"""`anfang-hub registry`: brings the registry in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlmodel import Session

    from hub.registry.sheets.importing import ImportReport
    from hub.registry.yaml_import.seed_file import Loaded

app = typer.Typer(help="The registry: buildings, units, leases, people, credentials, devices.", no_args_is_help=True)

DataDir = Annotated[Path, typer.Option("--data-dir", help="the hub's folder; made when missing")]
DatabaseUrl = Annotated[str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")]


@app.callback()
def _group() -> None:
    """The registry: buildings, units, leases, people, credentials, devices."""


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="a YAML file as docs/reference/registry-seed.md describes")],
    data_dir: DataDir,
    database: DatabaseUrl = None,
) -> None:
    """Bring a YAML file's records into the registry: all of them, or none when one is wrong.

    The same file twice changes nothing; a changed file changes what differs and keeps what was known before.
    """
    # Here and not above: `--help` of all commands must not load the database.
    from hub.registry.personal_data.vault import load_vault
    from hub.registry.yaml_import.seed_file import load_seed
    from hub.runtime.organisation_key import organisation_key
    from hub.store.audit import Audited, append_audit
    from hub.store.changes import record_changes
    from hub.store.migrate import open_database
    from hub.store.turns import acquire_write_lock
    from wire.clock import SystemClock

    vault = load_vault(data_dir)
    key = organisation_key(data_dir)
    store = open_database(data_dir, database)
    try:
        with store.write() as session:
            acquire_write_lock(session)
            now = SystemClock().now()
            loaded = load_seed(session, file, vault=vault, organisation_key=key, now=now)
            record_changes(session, loaded.changes, now)
            append_audit(session, Audited("cli", "admin", "registry.load", detail=f"{file.name}: {told(loaded)}"), now)
    finally:
        store.close()
    typer.echo(told(loaded))


def told(loaded: "Loaded") -> str:
    """One line of figures."""
    counts = {kind: loaded.count(kind) for kind in ("add", "change", "same")}
    return f"{counts['add']} added, {counts['change']} changed, {counts['same']} unchanged"


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="an XLSX or CSV file; `registry template` writes one to start from")],
    data_dir: DataDir,
    *,
    estate: Annotated[str, typer.Option("--estate", help="the code in front of buildings, such as 330702-0001")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="six-digit region code of new buildings")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would change, and change nothing")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="write what becomes of each row to this XLSX")] = None,
    database: DatabaseUrl = None,
) -> None:
    """Bring a table into the registry: all of it, or nothing when one row is wrong.

    Exit status 1 when rows were refused; the report says which, and why.
    """
    from rich.progress import Progress

    from hub.errors import RegistryError
    from hub.registry.personal_data.vault import load_vault
    from hub.registry.sheets.importing import ImportOptions, check_options, import_file
    from hub.registry.sheets.writing import write_report
    from hub.runtime.organisation_key import organisation_key
    from hub.store.audit import Audited, append_audit
    from hub.store.migrate import open_database
    from wire.clock import SystemClock

    def remember(session: "Session", done: "ImportReport") -> None:
        detail = f"{file.name}: {done.added} added, {done.changed} changed"
        append_audit(session, Audited("cli", "admin", "registry.import", estate, detail=detail), SystemClock().now())

    options = ImportOptions(estate, jurisdiction, dry_run)
    check_options(options)
    vault, key = load_vault(data_dir), organisation_key(data_dir)
    store = open_database(data_dir, database)
    try:
        with Progress(transient=True) as progress:
            task = progress.add_task("units")
            found = import_file(
                store,
                file,
                options,
                vault=vault,
                organisation_key=key,
                now=SystemClock().now(),
                on_progress=lambda done, of: progress.update(task, completed=done, total=of),
                also=remember,
            )
    finally:
        store.close()
    if report is not None:
        write_report(report, found)
    for header in found.dropped:
        typer.echo(f"warning: 列/column {header!r} 不予采集，已丢弃 / not collected, dropped", err=True)
    for header in found.unknown:
        typer.echo(f"warning: 列/column {header!r} 未识别，已忽略 / not known, passed over", err=True)
    for fault in found.faults[:50]:
        kind = "warning: " if fault.is_warning else ""
        place = f"{file.name}, 表/sheet {fault.sheet}, 行/row {fault.row}"
        typer.echo(f"{kind}{place}, 列/column {fault.key}: {fault.what}", err=True)
    done = "would be " if not found.is_applied else ""
    typer.echo(
        f"{found.rows} rows, {found.units} units: {done}{found.added} added, {found.changed} changed, "
        f"{found.same} unchanged; {found.refused} rows refused"
    )
    if found.errors:
        raise RegistryError(f"{file}: {len(found.errors)} fault(s); nothing was applied. Mend them and import again")


@app.command("template")
def template(out: Annotated[Path, typer.Argument(help="where to write the XLSX")]) -> None:
    """Write the canonical template, with a row of notes that the import skips."""
    from hub.registry.sheets.writing import write_template

    write_template(out)
    typer.echo(f"wrote {out}")


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="where to write the XLSX")],
    data_dir: DataDir,
    *,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="an estate's, building's or unit's code")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="names and numbers in full; needs --reason")] = False,
    reason: Annotated[str, typer.Option("--reason", help="why; goes to the audit trail")] = "",
    database: DatabaseUrl = None,
) -> None:
    """Write the registry as a table: people as masks, unless --reveal."""
    from hub.errors import ConfigError
    from hub.registry.personal_data.vault import load_vault
    from hub.registry.sheets.columns import TEMPLATE
    from hub.registry.sheets.exporting import export_rows
    from hub.registry.sheets.writing import write_table
    from hub.store.audit import Audited, append_audit
    from hub.store.migrate import open_database
    from wire.clock import SystemClock

    if reveal and not reason.strip():
        raise ConfigError("--reveal: say why with --reason; it goes to the audit trail")
    now = SystemClock().now()
    store = open_database(data_dir, database)
    try:
        with store.write() as session:
            action = "registry.export.revealed" if reveal else "registry.export"
            append_audit(session, Audited("cli", "admin", action, ",".join(scope or []), reason=reason), now)
        with store.read() as session:
            rows = export_rows(session, now, scopes=tuple(scope or ()), vault=load_vault(data_dir) if reveal else None)
            write_table(out, "房屋租赁台账", TEMPLATE, rows)
    finally:
        store.close()
    typer.echo(f"wrote {out}")


@app.command("rotate-key")
def rotate_key(*, data_dir: DataDir, database: DatabaseUrl = None) -> None:
    """Make a new key and seal names, phones, documents and channels again under it. Stop the hub first."""
    from hub.registry.personal_data.key_rotation import rekey
    from hub.runtime.instance_lock import acquire_instance_lock
    from hub.store.audit import Audited, append_audit
    from hub.store.migrate import open_database
    from wire.clock import SystemClock

    with acquire_instance_lock(data_dir, "hub", "stop it first: it would go on with the old key"):
        store = open_database(data_dir, database)
        try:
            count = rekey(store, data_dir)
            with store.write() as session:
                entry = Audited("cli", "admin", "registry.rotate_key", detail=f"{count} values")
                append_audit(session, entry, SystemClock().now())
        finally:
            store.close()
    typer.echo(f"{count} values sealed again")
