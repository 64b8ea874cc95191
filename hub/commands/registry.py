"""`anfang-hub registry`: brings the ledger in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hub.registry.seed_file import Loaded

app = typer.Typer(help="The ledger: buildings, units, leases, people, credentials, devices.", no_args_is_help=True)

DataDir = Annotated[Path, typer.Option("--data-dir", help="the hub's folder; made when missing")]
DatabaseUrl = Annotated[str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")]


@app.callback()
def _group() -> None:
    """The ledger: buildings, units, leases, people, credentials, devices."""


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="a YAML file as docs/reference/registry-seed.md describes")],
    data_dir: DataDir,
    database: DatabaseUrl = None,
) -> None:
    """Bring a YAML file's records into the ledger: all of them, or none when one is wrong.

    The same file twice changes nothing; a changed file changes what differs and keeps what was known before.
    """
    # Here and not above: `--help` of all commands must not load the database.
    from hub.keys import organisation_key
    from hub.registry.seed_file import load_seed
    from hub.registry.vault import load_vault
    from hub.store.changes import record_changes
    from hub.store.migrate import open_database
    from hub.store.turns import take_turn
    from wire.clock import SystemClock

    vault = load_vault(data_dir)
    key = organisation_key(data_dir)
    store = open_database(data_dir, database)
    try:
        with store.write() as session:
            take_turn(session)
            now = SystemClock().now()
            loaded = load_seed(session, file, vault=vault, organisation_key=key, now=now)
            record_changes(session, loaded.changes, now)
    finally:
        store.close()
    typer.echo(told(loaded))


def told(loaded: "Loaded") -> str:
    """One line of figures."""
    counts = {kind: loaded.count(kind) for kind in ("add", "change", "same")}
    return f"{counts['add']} added, {counts['change']} changed, {counts['same']} unchanged"
