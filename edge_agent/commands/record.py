"""`anfang-agent record`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_agent.config import load_config
from edge_agent.errors import ConfigError


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="the capture to write (lines of JSON)", show_default=False)],
    bus: Annotated[str | None, typer.Option(help="name of the bus; none: the MQTT devices")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="how long")] = 30.0,
    source: Annotated[str, typer.Option(help="who recorded it, and of what")] = "recorded with anfang-agent record",
) -> None:
    """Record what the devices of a bus (or of the broker) say, as the agent itself asks them.

    Card numbers, PINs and keys are zeroed and devices' own addresses renamed before anything is written. A serial
    port can be open only once: stop the agent first.
    """
    import asyncio
    import json

    from edge_agent.recording import record

    loaded = load_config(config)
    if bus is not None and bus not in {item.name for item in loaded.bus}:
        raise ConfigError(f"--bus {bus}: no [[bus]] of that name; there is: {', '.join(b.name for b in loaded.bus)}")
    if bus is None and loaded.mqtt is None:
        raise ConfigError("record: name a bus with --bus; there is no [mqtt] table")
    kind, rows = asyncio.run(record(loaded, bus, seconds))
    profiles = {device.profile for device in loaded.device if device.bus == bus}
    header = {"capture": 1, "kind": kind, "source": source}
    if len(profiles) == 1:
        header["profile"] = profiles.pop()
    out.write_text("\n".join([json.dumps(header, ensure_ascii=False), *rows]) + "\n", encoding="utf-8")
    typer.echo(f"{out}: {len(rows)} lines")
