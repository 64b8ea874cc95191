"""`anfang-hub backup`: copies that only their owner opens."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Backups of the hub that only their owner opens.", no_args_is_help=True)

DataDir = Annotated[Path, typer.Option("--data-dir", help="the hub's folder")]


@app.callback()
def _group() -> None:
    """Backups of the hub that only their owner opens."""


@app.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(help="where to write the private key; keep it away from the server")],
) -> None:
    """Make the key that opens backups, and print the recipient (age1…) that `create` needs."""
    from hub.store.backup import new_identity

    typer.echo(new_identity(file))


@app.command("create")
def create_(
    out: Annotated[Path, typer.Argument(help="the file to write, such as hub-2026-11-26.age")],
    *,
    to: Annotated[str, typer.Option("--to", help="who may open it: an age recipient, as `new-key` prints it")],
    data_dir: DataDir,
    database: Annotated[
        str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")
    ] = None,
) -> None:
    """Write database, keys and settings into one sealed file. The hub may go on running meanwhile."""
    from hub.store.backup import create
    from hub.store.database import database_url

    inside = create(data_dir, database_url(data_dir, database), to, out)
    typer.echo(f"{out}: {out.stat().st_size} bytes, holds {', '.join(inside)}")


@app.command("restore")
def restore_(
    backup: Annotated[Path, typer.Argument(help="a file that `create` wrote")],
    *,
    identity: Annotated[Path, typer.Option("--identity", help="the private key that `new-key` wrote")],
    data_dir: DataDir,
) -> None:
    """Put a backup into an empty data folder."""
    from hub.store.backup import DUMP, restore

    inside = restore(backup, identity, data_dir)
    typer.echo(f"{data_dir}: {', '.join(inside)}")
    if DUMP in inside:
        typer.echo(f"now: pg_restore --no-owner --dbname=postgresql://… {data_dir / DUMP}, then delete that file")
    typer.echo(f"now: anfang-hub serve --data-dir {data_dir}")
