"""`anfang-agent replay`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_agent.errors import ConfigError


def command(
    capture: Annotated[Path, typer.Argument(help="a capture (lines of JSON)", show_default=False)],
    profile: Annotated[str | None, typer.Option(help="a profile's name or file, instead of the capture's own")] = None,
    address: Annotated[
        str | None,
        typer.Option(help="only this device, where there are several; else of a Modbus line the first that is asked"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print events as lines of JSON")] = False,
) -> None:
    """Play a capture through the same codecs and profiles as the drivers use, and show the events it comes to.

    Faults stand on standard error; exit 1 when there is one.
    """
    from edge_agent.captures import load_capture, replay
    from edge_agent.profile_examples import example_hasher
    from firmware_profiles.errors import ProfileError
    from firmware_profiles.loader import find_profile, load_profile
    from wire.messages import encode_event

    loaded = load_capture(capture)
    name = profile or loaded.header.profile
    if name is None:
        raise ConfigError(f"{capture}: it names no profile; give one with --profile")
    try:
        explained = load_profile(Path(name) if Path(name).is_file() else find_profile(name))
        found = replay(loaded, explained, example_hasher, address)
    except ProfileError as error:
        raise ConfigError(str(error)) from error
    for t, event in found.events:
        text = encode_event(event).decode()
        typer.echo(text if as_json else f"{t:9.3f} s  {text}")
    for t, fault in found.faults:
        typer.echo(f"{capture}: {t:.3f} s: {fault}", err=True)
    if found.faults:
        raise typer.Exit(1)
