"""`anfang-hub bench-quality`: how good alerts and belief are, on a recording with its truth."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer


def command(
    *,
    folder: Annotated[Path, typer.Argument(help="a folder that `anfang-sim residents` wrote")],
    json_file: Annotated[Path | None, typer.Option("--json", help="also write the figures here")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="keep the hub's database in this empty folder")
    ] = None,
) -> None:
    """Put FOLDER's events through ingest, belief and rules, and hold what they raised against FOLDER's truth.json.

    Prints per rule precision, recall, delay and false alarms, and how well the belief's intervals hold the truth.
    """
    # Here and not above: `--help` of all commands must not load the database.
    from rich.console import Console
    from rich.progress import Progress

    from hub.errors import ConfigError
    from hub.quality.judge import judge, truth_path
    from hub.quality.report import as_json, as_table
    from hub.quality.run import run_recording
    from hub.quality.truth_file import read_truth
    from wire.clock import SystemClock

    if data_dir is not None and data_dir.exists() and any(data_dir.iterdir()):
        raise ConfigError(f"--data-dir {data_dir}: is not empty; name a new folder")
    truth = read_truth(truth_path(folder))
    with tempfile.TemporaryDirectory(prefix="anfang-quality-") as scratch, Progress(transient=True) as progress:
        task = progress.add_task("events", total=None)
        database, ran = run_recording(
            folder,
            data_dir or Path(scratch),
            truth.start,
            SystemClock(),
            lambda events: progress.update(task, completed=events),
        )
        try:
            quality = judge(database, truth, ran)
        finally:
            database.close()
    Console().print(as_table(quality))
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(quality), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
