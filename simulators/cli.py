"""The command `anfang-sim`: finds the subcommands, turns errors into one line and an exit status."""

import pkgutil
import sys
from importlib import import_module
from typing import Final

import typer

from simulators import commands
from simulators.errors import SimulatorError

_HELP: Final = (
    "The simulated side of Anfang (安房): houses full of devices, gateways by the thousand, people living their days."
    "\n\nStart with [bold]anfang-sim demo[/bold]: it starts a hub, a gateway and a house on this machine, and prints "
    "a link to the page."
)


def _root() -> None:
    """Typer makes a group of an application that has a callback, even when it has one command only."""


def build_app(wanted: str | None = None) -> typer.Typer:
    """The application; with only the subcommand `wanted` when there is one of that name, otherwise with all."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        help=_HELP,
    )
    app.callback()(_root)
    names = {found.name.replace("_", "-"): found.name for found in pkgutil.iter_modules(commands.__path__)}
    for name in [wanted] if wanted in names else sorted(names):
        module = import_module(f"{commands.__name__}.{names[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(module.command)
    return app


def main() -> None:
    """Run the command line; exit 1 for an error of ours."""
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else None)()
    except SimulatorError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
