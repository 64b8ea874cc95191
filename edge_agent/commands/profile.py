"""`anfang-agent profile`: device profiles, from a first draft to a device that works."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_agent.errors import AgentError
from firmware_profiles.errors import ProfileError
from firmware_profiles.model import Profile

app = typer.Typer(no_args_is_help=True, help="Write, check and understand device profiles (no Python needed).")


class BadProfileError(AgentError):
    """The author of a profile; one line for each fault."""


def _load(name: str) -> tuple[Path, Profile]:
    from firmware_profiles.loader import find_profile, load_profile

    try:
        path = Path(name) if Path(name).is_file() else find_profile(name)
        return path, load_profile(path)
    except ProfileError as error:
        raise BadProfileError(str(error)) from error


@app.command()
def validate(
    files: Annotated[
        list[str] | None, typer.Argument(help="files or shipped names; none: all that are shipped")
    ] = None,
) -> None:
    """Check profiles: every key, every reference, every example. One line for each fault; exit 1 when there is one."""
    from edge_agent.profile_examples import check_examples
    from firmware_profiles.loader import shipped_profiles
    from firmware_profiles.yaml_tree import parse

    faults: list[str] = []
    names = files or sorted(shipped_profiles())
    for name in names:
        try:
            path, profile = _load(name)
        except BadProfileError as error:
            faults.append(str(error))
            continue
        tree = parse(path.read_text(encoding="utf-8"))
        found = [
            f"{path}:{tree.line(('examples', fault.index))}: examples.{fault.index}: {fault.name!r}: {fault.reason}"
            for fault in check_examples(profile)
        ]
        faults += found
        if not found:
            typer.echo(f"{path}: good; {len(profile.fields)} fields, {len(profile.examples)} examples come true")
    if faults:
        raise BadProfileError("\n".join(faults))


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help="modbus, osdp, zigbee2mqtt, mqtt or gb26875")],
    file: Annotated[Path, typer.Argument(help="the file to write, e.g. acme-s1.yaml")],
    vendor: Annotated[str, typer.Option(help="who makes it")] = "VENDOR",
    model: Annotated[str, typer.Option(help="what it is called")] = "MODEL",
) -> None:
    """Write a profile to start from. It is complete and valid: change it step by step, validating each time."""
    from edge_agent.profile_starts import KINDS, start_of

    if kind not in KINDS:
        raise BadProfileError(f"{kind}: no such kind; write one of {', '.join(KINDS)}")
    if file.exists():
        raise BadProfileError(f"{file}: it is there already; give another name")
    try:
        file.write_text(start_of(kind, vendor, model), encoding="utf-8")
    except OSError as error:
        raise BadProfileError(f"{file}: {error.strerror}; give a path that can be written") from error
    typer.echo(f"{file}: written; edit it, then: anfang-agent profile validate {file}")


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="a file or a shipped name")],
    payload: Annotated[
        str | None,
        typer.Option(
            "--input", help='what the device said: hex, JSON, "text:…" or "holding 3=1, input 4=215"; else its examples'
        ),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="name of the topic or message type")] = None,
) -> None:
    """Say what a device is asked, and what comes of its examples or of an input: fields, events, faults."""
    from pydantic import ValidationError
    from rich.console import Console
    from rich.table import Table

    from edge_agent.profile_examples import tell
    from edge_agent.protocols.modbus import plan_reads
    from firmware_profiles.model import Example

    path, profile = _load(name)
    console = Console()
    console.print(f"[bold]{profile.vendor} {profile.model}[/bold] ({profile.family}), {path}\n{profile.source}")
    for read in plan_reads(profile):
        console.print(f"asks: {read.space} {read.address}, {read.count} of them")
    examples = list(profile.examples)
    if payload is not None:
        given = {**_input(profile, payload), **({"topic": topic} if topic else {})}
        try:
            examples = [Example.model_validate({"name": "input", "input": given, "fields": {}})]
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"][1:]))
            raise BadProfileError(f"--input: {where}: {first['msg']}, not {first['input']!r}") from error
    for example in examples:
        told = tell(profile, example)
        table = Table("what", "value", title=example.name, title_justify="left")
        for field, value in told.values.items():
            table.add_row(f"field {field}", repr(value))
        for kind, data in told.events:
            table.add_row(f"[green]event {kind}[/green]", str(data))
        for fault in told.faults:
            table.add_row("[red]fault[/red]", fault)
        console.print(table)


def _input(profile: Profile, text: str) -> dict[str, Any]:
    """An example's input from a word of the command line."""
    import json

    if text.startswith("text:"):
        return {"text": text.removeprefix("text:")}
    if text.lstrip().startswith(("{", "[")):
        try:
            return {"json": json.loads(text)}
        except ValueError as error:
            raise BadProfileError(f"--input: not JSON: {error}") from error
    if found := re.findall(r"\b(coil|discrete|input|holding)[ :]?(\w+)=(\w+)", text):
        registers: dict[str, dict[int, int]] = {}
        for space, address, value in found:
            try:
                registers.setdefault(space, {})[int(address, 0)] = int(value, 0)
            except ValueError as error:
                raise BadProfileError(f"--input: {space} {address}={value}: write numbers, e.g. holding 3=1") from error
        return registers
    frames = [frame for frame in text.split(",") if frame.strip()]
    if not all(re.fullmatch(r"[0-9A-Fa-f\s:]+", frame) for frame in frames):
        raise BadProfileError('--input: neither hex, JSON, "text:…" nor "holding 3=1"')
    if profile.transport.kind in ("modbus", "osdp", "gb26875"):
        return {"frames": frames}
    return {"hex": text}
