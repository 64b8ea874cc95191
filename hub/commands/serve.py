"""`anfang-hub serve`."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from hub.app import HubOptions
    from hub.config import HubConfig

_GOODBYE_S: Final = 3


def command(
    *,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="the hub's folder: database, key; made when missing")],
    http: Annotated[
        str | None, typer.Option("--http", help="address:port of the API and the pages [127.0.0.1:8080]")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", help="the broker, mqtt:// or mqtts:// [mqtt://127.0.0.1:1883]")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", help="postgresql://…; SQLite in --data-dir without it")
    ] = None,
    embedded_broker: Annotated[
        bool, typer.Option("--embedded-broker", help="also run a small broker here, at --mqtt (loopback, for trying)")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="a TOML file [hub.toml in --data-dir, if there is one]")
    ] = None,
) -> None:
    """Run the hub: take in events, raise alerts, serve the API and the pages. Everything in one process.

    Ready when GET /healthz answers 200. Runs until Ctrl-C or SIGTERM. Options here win over the file.
    Exit 78: the configuration cannot work.
    """
    loaded = settings(
        data_dir, config, {"http": {"listen": http}, "mqtt": {"url": mqtt}, "database": {"url": database}}
    )
    make_fit()
    # Here and not above: neither `--help` nor a mistake in the settings needs everything loaded.
    from hub.app import HubOptions

    _serve(HubOptions(data_dir, loaded, embedded_broker))


def settings(data_dir: Path, config: Path | None, overrides: dict[str, dict[str, str | None]]) -> "HubConfig":
    """The settings of the file (given, or `hub.toml` in the folder) under those of the command line; sets up the log.

    Raises ConfigError.
    """
    from hub.config import load_config
    from hub.runtime.logs import set_up_logs

    own = data_dir / "hub.toml"
    given = {
        table: {key: value for key, value in keys.items() if value is not None} for table, keys in overrides.items()
    }
    loaded = load_config(config or (own if own.is_file() else None), given)
    set_up_logs(loaded.log)
    return loaded


def make_fit() -> None:
    """Set the interpreter up for a process with a busy database thread."""
    # SQLite lets go of the interpreter at each row; 5 ms until it comes back is too long beside a busy API.
    sys.setswitchinterval(0.0005)
    # A batch makes thousands of short-lived objects: collecting among them as often as Python does by default takes a
    # third of ingest's time.
    gc.set_threshold(100_000, 20, 100)


def _serve(options: "HubOptions") -> None:
    import structlog
    import uvicorn

    from hub.app import Hub
    from hub.config import split_address
    from hub.errors import ConfigError
    from wire.clock import SystemClock

    class Server(uvicorn.Server):
        """uvicorn without its own signal handlers: the hub decides in which order things end."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    host, port = split_address(options.config.http.listen)
    try:
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
        )
    except OSError as error:
        raise ConfigError(f"--http {host}:{port}: {error.strerror}; choose another port, or stop who has it") from error
    with listener:
        hub = Hub(options, SystemClock())
        app = hub.api()
        # Restarting must not wait long for browsers that hold the stream of changes open.
        server = Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GOODBYE_S,
                limit_concurrency=4000,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )

        async def main() -> None:
            loop = asyncio.get_running_loop()

            def leave() -> None:
                app.state.broadcaster.close()
                server.should_exit = True

            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, leave)
            await server.serve(sockets=[listener])

        try:
            hub.start()
            structlog.get_logger().info("hub.http", address=f"http://{options.config.http.listen}/")
            gc.freeze()  # what was loaded stays: no collection need look at it
            asyncio.run(main())
        finally:
            hub.stop()
