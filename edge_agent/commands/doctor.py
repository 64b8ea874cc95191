"""`anfang-agent doctor`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.errors import EX_CONFIG, ConfigError

if TYPE_CHECKING:
    from edge_agent.setup.doctor import Diagnosis
    from edge_agent.setup.words import Language


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="print the findings as JSON, in both languages")] = False,
    language: Annotated[str | None, typer.Option("--language", help="en or zh; none: that of LANG")] = None,
) -> None:
    """Look at everything that the gateway needs, in plain words: what is bad, and what to do.

    Files, profiles, serial ports and who holds them, MQTT brokers, the hub and its confirmations, the outbox and its
    disk, the clock, cameras, the detector. Changes nothing and disturbs no running agent. Exit 0: nothing is bad;
    1: something is; 78: the configuration cannot be loaded, so that nothing else could be looked at.
    """
    from edge_agent.config import load_config
    from edge_agent.setup.doctor import Diagnosis, examine
    from wire.clock import SystemClock

    if language not in (None, "en", "zh"):
        raise ConfigError(f"--language {language}: write en or zh")
    chosen: Language = "zh" if (language or os.environ.get("LANG", "")).startswith("zh") else "en"
    status = 1
    try:
        loaded = load_config(config)
        found = [Diagnosis("config", str(config), "good"), *examine(loaded, config.resolve().parent, SystemClock())]
    except ConfigError as error:
        found = [Diagnosis("config", str(config), "bad", line) for line in str(error).splitlines()]
        status = EX_CONFIG
    if as_json:
        _print_json(found)
    else:
        _print_table(found, chosen)
    if any(item.state == "bad" for item in found):
        raise typer.Exit(status)


def _print_json(found: "list[Diagnosis]") -> None:
    import msgspec

    from edge_agent.setup.words import AREAS, STATES

    rows = [
        {
            "area": item.area, "state": item.state, "about": item.about, "detail": item.detail,
            "en": {"name": AREAS[item.area].en, "state": STATES[item.state]["en"], "mend": item.mend_en},
            "zh": {"name": AREAS[item.area].zh, "state": STATES[item.state]["zh"], "mend": item.mend_zh},
        }
        for item in found
    ]  # fmt: skip
    typer.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2))


def _print_table(found: "list[Diagnosis]", language: "Language") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from edge_agent.setup.words import AREAS, STATES

    console = Console()
    is_zh = language == "zh"
    heads = ("检查项", "对象", "结果", "说明") if is_zh else ("what", "which", "", "found")
    table = Table()
    for head in heads:
        table.add_column(head, overflow="fold")
    colours = {"good": "green", "warning": "yellow", "bad": "red"}
    for item in found:
        name, state = getattr(AREAS[item.area], language), STATES[item.state][language]
        colour = colours[item.state]
        table.add_row(name, escape(item.about), f"[{colour}]{state}[/{colour}]", escape(item.detail))
    console.print(table)
    wrong = [item for item in found if item.state != "good"]
    for area in dict.fromkeys(item.area for item in wrong):
        words = AREAS[area]
        mend = words.mend_zh if is_zh else words.mend_en
        console.print(f"• {getattr(words, language)}: {mend}", highlight=False, markup=False)
    bad = sum(item.state == "bad" for item in found)
    console.print(
        f"共检查 {len(found)} 项，故障 {bad} 项" if is_zh else f"{len(found)} things looked at, {bad} bad",
        highlight=False,
    )
