"""`anfang-agent check-config`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.config import load_config
from edge_agent.errors import ConfigError


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
) -> None:
    """Check a configuration on this machine: every key, profile, serial port, secret and folder that it names.

    Prints a table; then, on standard error, one line for each fault: what, where, mend. Exit 78 when there is one.
    Talks to no device and no network.
    """
    from rich.console import Console
    from rich.table import Table

    from edge_agent.check import look_at

    findings = list(look_at(load_config(config), config.resolve().parent))
    table = Table("key", "what", "", title=str(config))
    for finding in findings:
        table.add_row(finding.where, finding.what, "[green]good[/green]" if finding.fault is None else "[red]bad[/red]")
    Console(file=sys.stdout).print(table)
    faults = [f"{config}: {finding.where}: {finding.fault}" for finding in findings if finding.fault is not None]
    if faults:
        raise ConfigError("\n".join(faults))
