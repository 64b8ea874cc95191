"""`anfang-sim fleet`: many gateways on the wire contract alone."""

import asyncio
from typing import Annotated

import typer

from simulators.errors import SimulatorError
from simulators.fleet import FleetPlan, FleetReport, gateway_ids, report_json, report_lines, run_fleet
from simulators.hub_api import HubApi, NotThereError
from wire.clock import SystemClock


def command(
    *,
    gateways: Annotated[int, typer.Option("--gateways", min=1, max=60_000, help="how many")],
    rate: Annotated[float, typer.Option("--rate", min=0.01, help="events per second, of all gateways together")],
    mqtt: Annotated[str, typer.Option("--mqtt", help="the hub's broker")] = "mqtt://127.0.0.1:1883",
    events: Annotated[int | None, typer.Option("--events", min=1, help="stop after so many events in all")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="stop after this time in any case")] = 60.0,
    drain: Annotated[float, typer.Option("--drain", min=0, help="seconds to wait for the last acknowledgements")] = 30,
    api: Annotated[str | None, typer.Option("--api", help="ask this hub too what it has stored")] = None,
    token: Annotated[
        str | None, typer.Option("--token", envvar="ANFANG_TOKEN", help="for --api: `anfang-hub token create`")
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="how the gateways' names begin")] = "gw-fleet",
    seed: Annotated[int, typer.Option("--seed", help="the same seed invents the same events")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Connect GATEWAYS gateways, send events at RATE, and report what was lost, doubled or slow.

    Every gateway has a connection of its own, numbers its events and sends them again until they are acknowledged.
    With --api the hub's own account of every stream is compared as well. The exit status is 0 when all is well.
    """
    plan = FleetPlan(
        mqtt, gateways=gateways, rate=rate, events=events, seconds=seconds, drain_s=drain, prefix=prefix, seed=seed
    )
    report = asyncio.run(_run(plan, api, token))
    typer.echo(report_json(report) if as_json else "\n".join(report_lines(report)))
    if not report.is_good:
        raise typer.Exit(1)


async def _run(plan: FleetPlan, api: str | None, token: str | None) -> FleetReport:
    if api is not None and token is None:
        raise SimulatorError("--api needs --token, or the variable ANFANG_TOKEN")
    report = await run_fleet(plan, SystemClock())
    if api is not None and token is not None:
        async with HubApi(api, token) as hub:
            for gateway in gateway_ids(plan):
                await _compare(hub, gateway, report)
    return report


async def _compare(hub: HubApi, gateway: str, report: FleetReport) -> None:
    """Hold the hub's account of one gateway's stream of this run against what was sent."""
    sent = report.numbered.get(gateway)
    if sent is None:
        return
    epoch_id, count = sent
    try:
        found = [epoch for epoch in await hub.continuity(gateway) if epoch.epoch == epoch_id]
    except NotThereError:
        found = []
    stored = found[0].stored if found else 0
    if stored < count:
        report.faults.append(f"{gateway}: {count} sent, {stored} stored")
    elif stored > count:
        report.faults.append(f"{gateway}: {count} sent, {stored} stored: doubled")
    elif found and (found[0].holes or found[0].contiguous_seq != count):
        report.faults.append(f"{gateway}: contiguous to {found[0].contiguous_seq} of {count}, holes {found[0].holes}")
