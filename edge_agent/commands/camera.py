"""`anfang-agent camera`: tools for whoever mounts a camera."""

from typing import Annotated

import typer

from edge_agent.errors import LinkError

app = typer.Typer(no_args_is_help=True, help="Tools for whoever mounts a camera.")


@app.callback()
def _root() -> None:
    """Typer makes a group of an application that has a callback, even when it has one command only."""


@app.command()
def check(
    url: Annotated[str, typer.Argument(help="rtsp://user:password@…, http://…, a file or /dev/video0")],
    seconds: Annotated[float, typer.Option(help="how long to look", min=2, max=60)] = 8.0,
) -> None:
    """Look at a camera for a few seconds and say what hinders counting. Nothing is stored."""
    # PyAV and ONNX Runtime load only when there is something to look at.
    import av

    from edge_agent.counting.av_picture import AvPicture, Scalers
    from edge_agent.counting.back_end import make_detector
    from edge_agent.counting.look_over import Facts, remarks
    from edge_agent.counting.picture import THUMB_WIDTH, Grey
    from edge_agent.drivers.camera_source import frames, without_password

    # FFmpeg's messages hold addresses with passwords.
    av.logging.set_level(av.logging.PANIC)
    detector, _ = make_detector("oblique")
    scalers, tallest, size = Scalers(), 0.0, (0, 0)
    greys: list[Grey] = []
    stamps: list[float] = []
    try:
        for frame, stamp in frames(url):
            stamps.append(stamp)
            if len(greys) < 2 * (stamp - stamps[0]) + 1:
                picture = AvPicture(frame, scalers)
                size = picture.width, picture.height
                greys.append(picture.grey(THUMB_WIDTH))
                found = detector.detect(picture, greys[-1], stamp)
                heights = (found.boxes[:, 3] - found.boxes[:, 1])[found.scores >= detector.settings.confirm_score]
                tallest = max(tallest, float(heights.max(initial=0.0)) / picture.height)
            if stamp - stamps[0] >= seconds:
                break
    except LinkError as error:
        if not greys:
            raise LinkError(f"{without_password(url)}: {error}; check address, user and network") from None
    rate = (len(stamps) - 1) / max(stamps[-1] - stamps[0], 1e-3)
    facts = Facts(size[0], size[1], rate, greys, tallest)
    typer.echo(f"{without_password(url)}: {size[0]}x{size[1]}, {rate:.1f} frames/s")
    if tallest:
        typer.echo(f"人高占画面 {tallest:.0%} / tallest person {tallest:.0%} of the height")
    found_remarks = remarks(facts)
    for remark in found_remarks:
        typer.echo(f"- {remark.zh}\n  {remark.en}")
    if not found_remarks:
        typer.echo("适合计数 / fit for counting")
