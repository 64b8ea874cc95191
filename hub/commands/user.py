"""`anfang-hub user`: people who sign in."""

import getpass
import sys
from typing import Annotated

import typer

from hub.access.credentials import find_user, hash_password, new_sign_in_link, new_user
from hub.access.roles import Role
from hub.commands.token import DatabaseUrl, DataDir
from hub.errors import ConfigError
from hub.store.audit import Audited, append_audit
from hub.store.migrate import open_database
from wire.clock import SystemClock

app = typer.Typer(help="People who sign in to the web pages.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """People who sign in to the web pages."""


@app.command("add")
def add(
    *,
    name: Annotated[str, typer.Argument(help="the name to sign in with")],
    data_dir: DataDir,
    role: Annotated[Role, typer.Option("--role", help="what they may do")] = Role.VIEWER,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="an estate's, building's or unit's code")] = None,
    display_name: Annotated[str, typer.Option("--display-name", help="as colleagues read it")] = "",
    link: Annotated[
        bool, typer.Option("--link", help="print a one-time sign-in link instead of asking a password")
    ] = False,
    address: Annotated[
        str, typer.Option("--address", help="the hub's address, for the link")
    ] = "http://127.0.0.1:8080",
    database: DatabaseUrl = None,
) -> None:
    """Add a user, or with --link let an existing one in again: prints a link that works once, for half an hour.

    Without --link the password is asked for, or read as one line from standard input when that is not a terminal.
    """
    now = SystemClock().now()
    store = open_database(data_dir, database)
    try:
        password_hash = None if link else hash_password(_read_password())
        with store.write() as session:
            user = find_user(session, name) if link else None
            if user is None:
                user = new_user(
                    session,
                    name=name,
                    role=role,
                    scopes=scope or [],
                    password_hash=password_hash,
                    display_name=display_name,
                    now=now,
                )
                append_audit(session, Audited("cli", "admin", "user.add", name, detail=role.value), now)
            secret = new_sign_in_link(session, user, now) if link else None
            if secret:
                append_audit(session, Audited("cli", "admin", "user.link", name), now)
    finally:
        store.close()
    typer.echo(f"{address.rstrip('/')}/enter#{secret}" if secret else f"user {name} added as {role.value}")


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise ConfigError("password: the two entries differ; run the command again")
    return first
