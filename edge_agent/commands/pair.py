"""`anfang-agent pair`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_agent.config import load_config
from edge_agent.errors import ConfigError


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
    device: Annotated[str, typer.Argument(help="id of an OSDP reader with a key_file", show_default=False)],
    seconds: Annotated[float, typer.Option(min=1, max=300, help="how long the pairing window is open")] = 60.0,
) -> None:
    """Give an OSDP reader in install mode a key of its own, and keep it in the device's key_file (mode 0600).

    Stop the agent first: a port can be open only once. While the window is open the standard's default key, which
    everyone knows, is spoken on this bus: do it with nobody else at the wire.
    """
    from edge_agent.pairing import pair

    loaded = load_config(config)
    section = next((item for item in loaded.device if item.id == device), None)
    bus = next((item for item in loaded.bus if section is not None and item.name == section.bus), None)
    if section is None or bus is None or bus.kind != "osdp":
        raise ConfigError(f"{device}: no [[device]] of that id on an OSDP bus")
    if section.key_file is None or not isinstance(section.address, int):
        raise ConfigError(f"device {device}: it needs `key_file` (where the key will be) and `address`")
    pair(bus, section.address, section.key_file, seconds)
    typer.echo(f"{device}: paired; its key is in {section.key_file}")
