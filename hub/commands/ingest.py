"""`anfang-hub ingest`."""

import gc
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer


def command(
    *,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="a folder with the organisation's key")],
    mqtt: Annotated[str | None, typer.Option("--mqtt", help="the broker that the other hubs use")] = None,
    database: Annotated[str | None, typer.Option("--database", help="the postgresql://… that the hubs share")] = None,
    name: Annotated[str, typer.Option("--name", help="tells this worker from others on the same folder")] = "worker",
    config: Annotated[
        Path | None, typer.Option("--config", help="a TOML file [hub.toml in --data-dir, if there is one]")
    ] = None,
) -> None:
    """Run ingest alone: take in events and fold them, with no API and no clock of rules.

    For sites that one process cannot carry: several of these share the events of an MQTT 5 broker and a PostgreSQL,
    beside one `anfang-hub serve`. Runs until Ctrl-C or SIGTERM.
    """
    # Here and not above: `--help` of all commands must not load everything.
    from hub.app import Hub, HubOptions
    from hub.commands.serve import make_fit, settings
    from hub.errors import ConfigError
    from wire.clock import SystemClock

    if not name.replace("-", "").isalnum() or not name.isascii():
        raise ConfigError(f"--name {name}: letters, digits and '-' only")
    loaded = settings(data_dir, config, {"mqtt": {"url": mqtt}, "database": {"url": database}})
    make_fit()
    hub = Hub(HubOptions(data_dir, loaded, extra_worker=name), SystemClock())
    leave = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leave.set())
    hub.start()
    gc.freeze()
    leave.wait()
    hub.stop()
    sys.exit(0)
