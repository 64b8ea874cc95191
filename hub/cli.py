"""The command `anfang-hub`: finds the subcommands, turns errors into one line and an exit status."""

import pkgutil
import sys
from importlib import import_module
from typing import Final

import typer

from hub import commands
from hub.errors import ConfigError, HubError

EX_CONFIG: Final = 78
"""sysexits.h: a configuration that cannot work. systemd's RestartPreventExitStatus names it."""

_HELP: Final = (
    "The hub of Anfang (安房): takes in what gateways report, stores each event once, and raises alerts that people "
    "review.\n\n"
    "Start with [bold]anfang-hub serve --data-dir DIR --embedded-broker[/bold], then "
    "[bold]anfang-hub registry load FILE --data-dir DIR[/bold] and "
    "[bold]anfang-hub user add NAME --data-dir DIR[/bold]."
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
    names = {name: module for name, module in names.items() if not module.startswith("_")}
    for name in [wanted] if wanted in names else sorted(names):
        module = import_module(f"{commands.__name__}.{names[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(module.command)
    return app


def main() -> None:
    """Run the command line; exit 78 for a configuration that cannot work, 1 for another error of ours."""
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else None)()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(EX_CONFIG)
    except HubError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
