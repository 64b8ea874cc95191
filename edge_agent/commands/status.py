"""`anfang-agent status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.config import load_config
from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    from edge_agent.status import AgentStatus


def command(
    config: Annotated[Path | None, typer.Argument(help="the gateway's TOML file")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="the agent's data folder, instead of the file")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what the agent says as JSON")] = False,
) -> None:
    """Show what the running agent says of itself: uplink, waiting events, losses, drivers.

    Exit 0: it runs. Exit 3: no agent runs on that folder.
    """
    import msgspec

    from edge_agent.status import ask_status

    if (config is None) == (data_dir is None):
        raise ConfigError("status: give either CONFIG.toml or --data-dir DIR")
    folder = data_dir if config is None else load_config(config).gateway.data_dir
    assert folder is not None
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; has the agent run yet?")
    found = ask_status(folder)
    if found is None:
        typer.echo(f"no agent is running on {folder}", err=True)
        raise typer.Exit(3)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        _show(found)


def _show(found: "AgentStatus") -> None:
    """Tables for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    state = "[green]up[/green]" if found.uplink_up else "[red]down[/red]"
    ack = "" if found.uplink_last_ack_s is None else f", last acknowledgement {found.uplink_last_ack_s:.0f} s ago"
    console.print(
        f"[bold]{found.gateway}[/bold]  anfang {found.version}, pid {found.pid}, up {found.uptime_s:.0f} s, "
        f"clock {found.clock}\nuplink {state}: {found.uplink_detail}{ack}\n"
        f"disk {found.disk}, dead letters {found.dead_letters}"
    )
    if found.moved_aside is not None:
        console.print(f"[yellow]damaged outbox[/yellow] {found.moved_aside}: {found.salvaged} events salvaged")
    if found.detectors_in_alarm or found.sirens_sounding:
        console.print(f"[red bold]smoke alarm[/red bold] {', '.join(found.detectors_in_alarm)}")
    lanes = Table("lane", "waiting", "oldest", "acknowledged", "last", "lost", "sending", title="outbox")
    for lane in found.lanes:
        lost = lane.dropped + lane.refused + lane.damaged
        oldest = "" if lane.oldest_s is None else f"{lane.oldest_s:.0f} s"
        lanes.add_row(
            lane.name, str(lane.depth), oldest, str(lane.floor_seq), str(lane.last_seq), str(lost), lane.sending
        )
    console.print(lanes)
    parts = Table("part", "state", "restarts", "detail", title="parts")
    for name, health in found.drivers.items():
        colour = {"running": "green", "starting": "yellow", "degraded": "yellow"}.get(health.state, "red")
        parts.add_row(name, f"[{colour}]{health.state}[/{colour}]", str(health.restarts), health.detail)
    console.print(parts)
    for letter in found.newest_dead_letters:
        console.print(f"dead letter {letter.lane} {letter.seq}: {letter.reason}", highlight=False)
