"""The command `anfang-agent`: finds the subcommands, turns errors into one line and an exit status."""

import pkgutil
import sys
from importlib import import_module
from typing import Final

import typer

from edge_agent import commands
from edge_agent.errors import EX_CONFIG, AgentError, ConfigError
from firmware_profiles.errors import ProfileError

_HELP: Final = (
    "The gateway of Anfang (安房): reads locks, smoke detectors and cameras of a rental building, keeps what it saw on "
    "disk until the hub has it, and sounds the siren when there is smoke and no hub.\n\n"
    "Start with [bold]anfang-agent check-config CONFIG.toml[/bold], then [bold]anfang-agent run CONFIG.toml[/bold]."
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
    """Run the command line; exit 78 for a configuration that cannot work, 1 for another error of ours."""
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else None)()
    except (ConfigError, ProfileError) as error:
        print(error, file=sys.stderr)
        sys.exit(EX_CONFIG)
    except AgentError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
