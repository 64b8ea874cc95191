"""`anfang-hub migrate`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    *,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="the hub's folder")],
    database: Annotated[
        str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")
    ] = None,
) -> None:
    """Bring the database to this release's tables. Make a backup first, and stop the hubs that use it.

    `serve` does this by itself for SQLite and for an empty PostgreSQL. A database of a newer release is left as it is.
    """
    from hub.store.migrate import migrate  # here and not above: `--help` of all commands must not load the database

    before, after = migrate(data_dir, database)
    typer.echo(f"already at revision {after}" if before == after else f"revision {before or 'none'} -> {after}")
