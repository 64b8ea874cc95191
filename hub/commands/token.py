"""`anfang-hub token`: keys of programs."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub.access.credentials import new_token
from hub.access.roles import Role
from hub.store.audit import Audited, append_audit
from hub.store.migrate import open_database
from wire.clock import SystemClock

app = typer.Typer(help="Keys of programs that use the API.", no_args_is_help=True)

DataDir = Annotated[Path, typer.Option("--data-dir", help="the hub's folder")]
DatabaseUrl = Annotated[str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")]


@app.callback()
def _group() -> None:
    """Keys of programs that use the API."""


@app.command("create")
def create(
    *,
    data_dir: DataDir,
    role: Annotated[Role, typer.Option("--role", help="what the program may do")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help="an estate's, building's or unit's code")] = None,
    name: Annotated[str, typer.Option("--name", help="what it is for")] = "",
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="valid for so many days; without it, until revoked")
    ] = None,
    database: DatabaseUrl = None,
) -> None:
    """Make a token and print it, alone, on standard output. It is not shown again."""
    now = SystemClock().now()
    store = open_database(data_dir, database)
    try:
        with store.write() as session:
            life = None if days is None else timedelta(days=days)
            token = new_token(session, role=role, scopes=scope or [], name=name, life=life, now=now)
            append_audit(session, Audited("cli", "admin", "token.add", name, detail=role.value), now)
    finally:
        store.close()
    typer.echo(token)
