"""`anfang-agent identify`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_agent.config import load_config
from edge_agent.errors import ConfigError


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
    device: Annotated[str, typer.Argument(help="the device's id", show_default=False)],
    what: Annotated[str, typer.Option("--command", help="another command of its profile")] = "identify",
    seconds: Annotated[float, typer.Option(min=1, help="how long to wait until it is online")] = 15.0,
) -> None:
    """Let a device blink or beep, so that one sees which it is. Stop the agent first: a port can be open only once."""
    import asyncio

    from edge_agent.identifying import identify

    loaded = load_config(config)
    if device not in {item.id for item in loaded.device}:
        raise ConfigError(f"{device}: no [[device]] of that id; there is: {', '.join(d.id for d in loaded.device)}")
    asyncio.run(identify(loaded, device, what, seconds))
    typer.echo(f"{device}: {what} done")
