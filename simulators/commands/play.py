"""`anfang-sim play`: the house of a scenario alone, for a gateway that is started by hand."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from simulators.demo.play import play
from simulators.demo.site import Site
from simulators.mqtt_loop import address_of
from simulators.scenario_file import find_scenario, load_scenario
from wire.clock import SystemClock


def command(
    *,
    scenario: Annotated[str, typer.Argument(help="a shipped name or a .yaml file")] = "morning",
    folder: Annotated[Path, typer.Option("--dir", help="holds dev/ (the serial ports), keys/ and the ground truth")],
    mqtt: Annotated[str, typer.Option("--mqtt", help="the broker of the house")] = "mqtt://127.0.0.1:1883",
) -> None:
    """Open the simulated devices of a scenario; let it happen when a line comes on standard input; end with it.

    `anfang-sim demo` starts this, and what else is needed.
    """
    path = find_scenario(scenario)
    loaded = load_scenario(path)
    site = Site(folder, http_port=0, mqtt_port=address_of(mqtt)[1], rtsp_port=0)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_until_told(play(loaded, site, sys.stdin.buffer, SystemClock())))


async def _until_told(work: Coroutine[None, None, None]) -> None:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task
