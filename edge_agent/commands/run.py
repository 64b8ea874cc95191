"""`anfang-agent run`."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.config import load_config


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
) -> None:
    """Run the gateway: read the devices, keep what they say on disk, deliver it to the hub.

    Runs until Ctrl-C or SIGTERM. A device that is not there is tried again and shown in `anfang-agent status`; it does
    not stop the rest. Exit 78: the configuration cannot work (see `anfang-agent check-config`).
    """
    # Here and not above: `--help` of all commands must not load the drivers.
    from edge_agent.drivers import build_drivers
    from edge_agent.logs import set_up_logs
    from edge_agent.status import only_one
    from edge_agent.supervisor import Agent
    from wire.clock import SystemClock

    loaded = load_config(config)
    set_up_logs(loaded.log)
    # The outbox's thread takes the interpreter back after each of SQLite's steps: 5 ms a time is too long to wait.
    sys.setswitchinterval(0.001)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await Agent(loaded, SystemClock(), build_drivers).run(stop)

    with only_one(loaded.gateway.data_dir):
        asyncio.run(main())
