"""`anfang-hub notify`: who is told of alerts, and by which channel."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Who is told of alerts: recipients, duty roster, test messages.", no_args_is_help=True)

DataDir = Annotated[Path, typer.Option("--data-dir", help="the hub's folder")]
DatabaseUrl = Annotated[str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")]


@app.callback()
def _group() -> None:
    """Who is told of alerts: recipients, duty roster, test messages."""


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="who; a user's name, so that what is assigned to them reaches them")],
    *,
    data_dir: DataDir,
    classes: Annotated[str, typer.Option("--classes", help="letters of LSCWT")] = "LSCWT",
    least_severity: Annotated[str, typer.Option("--least-severity", help="P0 to P4")] = "P4",
    language: Annotated[str, typer.Option("--language", help="zh or en")] = "zh",
    quiet_from: Annotated[str, typer.Option("--quiet-from", help="HH:MM; never holds back life safety")] = "",
    quiet_to: Annotated[str, typer.Option("--quiet-to", help="HH:MM")] = "",
    database: DatabaseUrl = None,
) -> None:
    """Add somebody. The channel's address (an apprise URL: dingtalk://…, wecombot://…, mailtos://…) is read as one line
    from standard input, because it holds secrets that must not stand in the list of processes.
    """
    # Here and not above: `--help` of all commands must not load the database.
    from hub.notify.service import Wishes, save_recipient
    from hub.registry.personal_data.vault import load_vault
    from hub.store.audit import Audited, append_audit
    from hub.store.migrate import open_database
    from wire.clock import SystemClock

    if sys.stdin.isatty():
        typer.echo("Channel address, as one line:", err=True)
    address = sys.stdin.readline().strip()
    wishes = Wishes(language, classes, least_severity, quiet_from, quiet_to)
    store = open_database(data_dir, database)
    try:
        with store.write() as session:
            save_recipient(session, load_vault(data_dir), name, address, wishes)
            entry = Audited("cli", "admin", "notify.set", name, detail=f"{classes} {least_severity}")
            append_audit(session, entry, SystemClock().now())
    finally:
        store.close()
    typer.echo(f"{name} will be told of {classes} from {least_severity} up")


@app.command("test")
def send_test(
    name: Annotated[str, typer.Argument(help="who")], data_dir: DataDir, database: DatabaseUrl = None
) -> None:
    """Send a test message now, and say what came of it. Exit 1 when the channel refuses it."""
    from hub.notify.channels import AppriseChannel
    from hub.notify.service import test_message
    from hub.registry.personal_data.vault import load_vault
    from hub.store.migrate import open_database

    store = open_database(data_dir, database)
    try:
        with store.read() as session:
            message = test_message(session, load_vault(data_dir), name)
    finally:
        store.close()
    AppriseChannel().send(*message)
    typer.echo(f"sent to {name}")


@app.command("duty")
def duty(
    name: Annotated[str, typer.Argument(help="who")],
    *,
    data_dir: DataDir,
    from_at: Annotated[datetime, typer.Option("--from", help="2026-11-24T08:00, China time")],
    to_at: Annotated[datetime, typer.Option("--to", help="2026-11-24T20:00, China time")],
    scope: Annotated[str, typer.Option("--scope", help="an estate's or building's code; all without it")] = "",
    level: Annotated[int, typer.Option("--level", min=0, max=9, help="0 hears first, 1 after one escalation, …")] = 0,
    database: DatabaseUrl = None,
) -> None:
    """Put somebody on duty."""
    from hub.domain.local_time import CHINA
    from hub.notify.service import add_shift
    from hub.store.audit import Audited, append_audit
    from hub.store.migrate import open_database
    from wire.clock import SystemClock

    store = open_database(data_dir, database)
    try:
        with store.write() as session:
            add_shift(
                session, name, from_at.replace(tzinfo=CHINA), to_at.replace(tzinfo=CHINA), scope=scope, level=level
            )
            detail = f"{from_at.isoformat()} {to_at.isoformat()} level {level}"
            append_audit(session, Audited("cli", "admin", "duty.add", name, detail=detail), SystemClock().now())
    finally:
        store.close()
    typer.echo(f"{name} is on duty")
