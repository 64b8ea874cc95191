"""`anfang-agent count`: counts the people in a video file."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from edge_agent.errors import ConfigError
from wire.clock import SystemClock


def command(
    video: Annotated[Path, typer.Argument(help="a video file; it is only read")],
    line: Annotated[str, typer.Option(help="x1,y1,x2,y2 in pixels of the video")],
    *,
    in_side: Annotated[Literal["left", "right"], typer.Option(help="side of the arrow from point 1 to 2 that is in")],
    json_path: Annotated[Path, typer.Option("--json", help="where to write the result")],
    view: Annotated[Literal["oblique", "overhead"], typer.Option(help="how the camera looks")] = "oblique",
    zone: Annotated[str | None, typer.Option(help="x1,y1,x2,y2,…: polygon in which people present count")] = None,
    annotate: Annotated[
        Path | None, typer.Option(help="write a copy of the video with boxes; faces are blurred in it")
    ] = None,
) -> None:
    """Count people across a line, and people present, in a video file.

    The result is a JSON object: `crossings` (frame and direction), `people_per_frame`, `fps` (frames counted per
    second of work) and `seconds` (of work).
    """
    # numpy, PyAV and ONNX Runtime load only when there is something to count.
    from edge_agent.counting.count_file import count_file, frame_rate, parse_line, parse_zone

    across = parse_line(line, in_side)
    polygon = parse_zone(zone) if zone else None
    if annotate is None:
        result = count_file(video, across, clock=SystemClock(), view=view, zone=polygon)
    else:
        from edge_agent.counting.annotate import Annotator

        with Annotator(annotate, frame_rate(video), view=view, line=across, zone=polygon) as film:
            result = count_file(
                video,
                across,
                clock=SystemClock(),
                view=view,
                zone=polygon,
                annotate=lambda frame, tracks, seen: film.write(frame, tracks, f"present {seen.present}"),
            )
    try:
        json_path.write_text(json.dumps(result.as_json()) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{json_path}: cannot be written: {error.strerror}; give a path that can") from error
    totals = {side: sum(one.direction == side for one in result.crossings) for side in ("in", "out")}
    typer.echo(
        f"{video.name}: in {totals['in']}, out {totals['out']}; "
        f"{len(result.people_per_frame)} frames in {result.seconds:.1f} s ({result.fps:.0f} a second)"
    )
