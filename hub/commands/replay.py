"""`anfang-hub replay`: what the rules, or a draft of others, make of what is stored."""

from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from hub.replay.run import Replayed

_MOST_SHOWN: Final = 200


def command(
    *,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="the hub's folder")],
    database: Annotated[
        str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="compare alerts opened from 2026-11-01 or 2026-11-01T08:00 on")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="…and up to then; a day is taken to its end")] = None,
    timezone: Annotated[
        str, typer.Option("--timezone", help="of --since and --until that name none")
    ] = "Asia/Shanghai",
    pack: Annotated[
        list[Path] | None, typer.Option("--pack", help="a draft of a rule pack; more than one may be given")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write the outcome here")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="then fold the stored events on which a rule had failed; changes alerts")
    ] = False,
) -> None:
    """Play the stored events and the registry's history through the rules again, and compare the alerts.

    Prints per rule what was raised, would be raised, would vanish and would be new. With --pack it answers what a draft
    would have done. The hub may go on running: it all happens in a database of its own, and nothing here changes,
    unless --apply is given.
    """
    # Here and not above: `--help` of all commands must not load the database.
    from rich.console import Console
    from rich.progress import Progress

    from hub.errors import ConfigError
    from hub.evaluation.evaluator import Evaluator
    from hub.evaluation.refold import fold_what_failed
    from hub.policies.packs import packs_with
    from hub.replay.run import replay
    from hub.store.migrate import open_database
    from wire.clock import SystemClock

    if apply and pack:
        raise ConfigError("--apply with --pack: a draft changes nothing; leave one of them out")
    zone = _zone(timezone)
    begin = _instant("--since", since, zone, ends=False)
    end = _instant("--until", until, zone, ends=True)
    if begin is not None and end is not None and begin >= end:
        raise ConfigError(f"--since {since} is not before --until {until}; exchange them")
    packs = packs_with(tuple(pack or ()))
    if database is None and not (data_dir / "hub.db").is_file():
        raise ConfigError(f"--data-dir {data_dir}: holds no hub.db; give the folder of a hub that has run")
    store = open_database(data_dir, database)
    try:
        with Progress(transient=True, console=Console(stderr=True)) as progress:
            task = progress.add_task("events", total=None)
            found = replay(
                store, packs, since=begin, until=end,
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )  # fmt: skip
        _show(found, Console())
        if json_file is not None:
            _write(json_file, found)
        if apply:
            folded, failed = fold_what_failed(store, Evaluator(), SystemClock().now(), actor="cli")
            typer.echo(f"applied: {folded} events folded, {failed} failed again")
    finally:
        store.close()


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from hub.errors import ConfigError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"--timezone {name}: is not known here; write it like Asia/Shanghai or UTC") from error


def _instant(option: str, value: str | None, zone: "ZoneInfo", *, ends: bool) -> datetime | None:
    from datetime import UTC, timedelta

    from hub.errors import ConfigError

    if value is None:
        return None
    try:
        if len(value) == len("2026-11-01"):
            day = date.fromisoformat(value) + timedelta(days=1 if ends else 0)
            return datetime.combine(day, time(0), zone).astimezone(UTC)
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{option} {value}: {error}; write 2026-11-01 or 2026-11-01T08:00+08:00") from error


def _show(found: "Replayed", console: "Console") -> None:
    from rich.table import Table

    from hub.domain.local_time import local_text
    from hub.replay.compare import link_of
    from hub.rules.catalogue import rule

    table = Table("rule", "规则", "raised", "would be raised", "same", "changed", "new", "vanishes")
    for outcome in found.outcomes:
        counts = [outcome.count(verdict) for verdict in ("same", "changed", "new", "vanishes")]
        figures = [outcome.raised, outcome.would_be_raised, *counts]
        table.add_row(outcome.rule_id, rule(outcome.rule_id).title.zh, *map(str, figures))
    console.print(table)
    lines = [line for outcome in found.outcomes for line in outcome.lines if line.verdict != "same"]
    if lines:
        each = Table("rule", "what", "alert", "subject", "opened", "differs")
        for line in lines[:_MOST_SHOWN]:
            either = line.either
            link = "" if line.stored is None else link_of(line.stored)
            opened = local_text(either.opened_at)
            each.add_row(either.rule_id, line.verdict, link, either.subject, opened, ", ".join(line.differs))
        console.print(each)
    if len(lines) > _MOST_SHOWN:
        console.print(f"… and {len(lines) - _MOST_SHOWN} more: write them all with --json FILE")
    played = found.played
    console.print(f"{played.events} events up to {local_text(found.until)} played; {len(lines)} differences")
    if played.failed or played.failed_ticks:
        console.print(f"[red]a rule failed on {played.failed} events and {played.failed_ticks} looks at the time[/red]")


def _write(path: Path, found: "Replayed") -> None:
    import json

    from hub.errors import ConfigError
    from hub.replay.compare import as_json

    whole = {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "events": found.played.events,
        "failed_events": found.played.failed,
        "failed_ticks": found.played.failed_ticks,
        "rules": as_json(found.outcomes),
    }
    try:
        path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--json {path}: {error.strerror}; name a file that can be written") from error
