"""The command lines of Anfang as a tree of plain values, read from the programs themselves."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument
from typer.main import get_command

# The repository's root, for whoever runs these tools from another folder.
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

PROGRAMS = ("anfang-agent", "anfang-hub", "anfang-sim")


@dataclass(frozen=True)
class Option:
    """One option or argument."""

    names: tuple[str, ...]
    help: str
    default: str
    is_required: bool


@dataclass(frozen=True)
class Command:
    """A command that can be run, with all the words that lead to it."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    is_group: bool

    @property
    def option_names(self) -> set[str]:
        """Every `--name` that it takes."""
        return {name for option in self.options for name in option.names if name.startswith("-")} | {"--help"}


def _apps() -> Iterator[tuple[str, typer.Typer]]:
    import edge_agent.cli
    import hub.cli
    import simulators.cli

    yield "anfang-agent", edge_agent.cli.build_app()
    yield "anfang-hub", hub.cli.build_app()
    yield "anfang-sim", simulators.cli.build_app()


def all_commands() -> list[Command]:
    """Every command of every program, groups before what is in them."""
    return [found for name, app in _apps() for found in _walk((name,), get_command(app))]


def _walk(path: tuple[str, ...], command: Any) -> Iterator[Command]:
    subcommands = getattr(command, "commands", None)
    options = tuple(_option(item) for item in command.params if not getattr(item, "hidden", False))
    yield Command(path, (command.help or "").strip(), options, subcommands is not None)
    for name in sorted(subcommands or {}):
        yield from _walk((*path, name), subcommands[name])


def _option(item: Any) -> Option:
    is_argument = isinstance(item, TyperArgument)
    names = ((item.metavar or item.name).upper(),) if is_argument else (*item.opts, *item.secondary_opts)
    default = "" if item.default in (None, False) or callable(item.default) else str(item.default)
    return Option(tuple(names), item.help or "", default, bool(item.required))
