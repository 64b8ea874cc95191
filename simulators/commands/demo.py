"""`anfang-sim demo`: everything at once on this machine, to look at or to check."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulators.demo.check import check
from simulators.demo.run import running_demo
from simulators.demo.screen import show, table_of
from simulators.scenario import Scenario
from simulators.scenario_file import find_scenario, load_scenario
from wire.clock import SystemClock

_STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def command(
    *,
    is_check: Annotated[
        bool, typer.Option("--check", help="no screen: let it happen, ask the public API, print a table; exit 0 or 1")
    ] = False,
    scenario: Annotated[str, typer.Option("--scenario", help="a shipped name or a .yaml file")] = "morning",
    folder: Annotated[Path, typer.Option("--dir", help="where everything is kept; emptied at the start")] = Path(
        "build/demo"
    ),
    language: Annotated[str | None, typer.Option("--language", help="zh or en; default: as LANG says")] = None,
) -> None:
    """Start a hub with its broker, a gateway, and a house full of simulated devices; watch what happens.

    The devices speak OSDP, Modbus, Zigbee2MQTT's topics and RTSP over real ports, and the camera's picture is counted
    by the real detector. Ctrl-C stops everything.
    """
    path = find_scenario(scenario)
    loaded = load_scenario(path)
    chosen = language or ("zh" if os.environ.get("LANG", "").startswith("zh") else "en")
    if chosen not in ("zh", "en"):
        raise typer.BadParameter("zh or en", param_hint="--language")
    work = _check(path, loaded, folder) if is_check else _show(path, loaded, folder, chosen)
    raise typer.Exit(asyncio.run(_interruptible(work, on_ctrl_c=130 if is_check else 0)))


async def _show(path: Path, scenario: Scenario, folder: Path, language: str) -> int:
    console = Console()
    clock = SystemClock()
    console.print("starting the hub, the gateway and the house …")
    async with running_demo(path, scenario, folder, clock) as running:
        try:
            await show(running, clock, console, language)
        finally:
            console.print("stopping …")
    return 0


async def _check(path: Path, scenario: Scenario, folder: Path) -> int:
    clock = SystemClock()
    began_s = clock.monotonic()
    async with running_demo(path, scenario, folder, clock) as running:
        sys.stderr.write(f"ready after {clock.monotonic() - began_s:.1f} s; the scenario begins\n")
        rows = await check(running, clock)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table_of(rows))
    kept = sum(row.is_kept for row in rows)
    console.print(f"{kept} of {len(rows)} promises kept, {clock.monotonic() - began_s:.0f} s")
    return 0 if kept == len(rows) else 1


async def _interruptible(work: Coroutine[None, None, int], *, on_ctrl_c: int) -> int:
    """Await `work`; Ctrl-C, SIGTERM and a closed terminal cancel it, so that everything is stopped in order."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        stopped_by.append(number)
        task.cancel()

    for number in _STOPPED_BY:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        return on_ctrl_c if stopped_by[0] == signal.SIGINT else 128 + stopped_by[0]
