"""`anfang-sim residents`: people living their days, what sensors make of it, and the truth beside it."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from simulators.residents.noise import NOISES, noise_named
from simulators.residents.world import RunPlan, World


def command(
    *,
    units: Annotated[int, typer.Option("--units", min=1, max=100_000, help="how many flats")],
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="how many days")],
    out: Annotated[Path, typer.Option("--out", help="the folder to write into; made when missing")],
    seed: Annotated[int, typer.Option("--seed", help="the same seed gives the same files")] = 1,
    noise: Annotated[
        str, typer.Option("--noise", help=f"how badly sensors see: {', '.join(NOISES)}, or a YAML file of your own")
    ] = "typical",
    first: Annotated[
        datetime, typer.Option("--first", formats=["%Y-%m-%d"], help="the first day, local time of China")
    ] = datetime(2026, 3, 2),  # noqa: DTZ001  # a calendar day
) -> None:
    """Simulate UNITS flats for DAYS days and write what a hub would receive, what a manager knows, and what was true.

    events.ndjson: wire events in the order of their arrival, each with gateway, epoch, seq and sent_at.
    registry.xlsx: the manager's registry, for `anfang-hub registry import --estate 990000-0001`.
    site.yaml: the same as a seed for `anfang-hub registry load`, with devices; one of the two, not both.
    truth.json: people inside at every time, and the alerts that are right. organisation.key: for the hub's data folder.
    """
    first_day: date = first.date()
    world = World(RunPlan(units, days, seed, noise_named(noise), Path(noise).name, first_day))
    with Progress(transient=True) as progress:
        task = progress.add_task("days", total=days)
        written = world.write(out, lambda day: progress.update(task, completed=day))
    typer.echo(f"{written} events of {units} units in {days} days written to {out}")
