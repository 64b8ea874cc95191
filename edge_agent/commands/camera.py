"""`anfang-agent camera`: tools for whoever mounts a camera."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.config import load_config
from edge_agent.errors import ConfigError, LinkError
from edge_agent.secrets import read_secret
from wire.clock import SystemClock

if TYPE_CHECKING:
    from edge_agent.counting.line import Direction

app = typer.Typer(no_args_is_help=True, help="Tools for whoever mounts a camera.")


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
    from edge_agent.drivers.camera_source import frames, is_file, without_password

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
            hint = "" if url.startswith("/dev/") or is_file(url) else "; check address, user and network"
            raise LinkError(f"{without_password(url)}: {error}{hint}") from None
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


@app.command()
def discover(
    seconds: Annotated[float, typer.Option(help="how long to wait for answers", min=1, max=60)] = 4.0,
) -> None:
    """Call the ONVIF cameras of the local network. Only those of the same network hear it."""
    from edge_agent.drivers.onvif_client import discover as call

    count = 0
    for found in call(seconds):
        count += 1
        typer.echo(f"{found.addresses[0]}  {found.name}  {found.hardware}")
    if not count:
        typer.echo("没有摄像头应答：请在摄像头中启用 ONVIF，并确认在同一网段")
        typer.echo("no camera answered: switch ONVIF on in the camera, and be on the same network")


@app.command()
def streams(
    address: Annotated[str, typer.Argument(help="host, host:port or the address that `discover` gave")],
    user: Annotated[str, typer.Option(help="an ONVIF user of the camera")] = "",
    password_file: Annotated[Path | None, typer.Option(help="holds the password, mode 0600")] = None,
) -> None:
    """Ask an ONVIF camera for its streams, and name the one to count with (*)."""
    from edge_agent.drivers.onvif_client import streams as ask
    from edge_agent.protocols.onvif import best_for_counting

    password = read_secret(password_file, "--password-file") if password_file else ""
    found = ask(address, user, password, SystemClock())
    best = best_for_counting([one.profile for one in found])
    for one in found:
        profile = one.profile
        mark = "*" if profile == best else " "
        typer.echo(
            f"{mark} {profile.name}  {profile.codec} {profile.width}x{profile.height} {profile.fps:g}/s  {one.uri}"
        )
    if not found:
        raise LinkError(f"{address}: the camera offers no video stream")
    typer.echo("* 建议用于计数 / the one to count with")


@app.command()
def calibrate(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
    camera: Annotated[str, typer.Argument(help="id of a [[camera]]", show_default=False)],
    walks: Annotated[int, typer.Option(help="how often you walk in and out again", min=5, max=200)] = 10,
) -> None:
    """Measure how often a camera misses somebody or counts him twice: walk in and out, then press Enter.

    Nobody else may pass meanwhile. The rates are kept in data_dir; the agent tells them to the hub with the camera's
    state from its next start on, and the hub trusts the camera accordingly.
    """
    # The model and PyAV load only when there is something to count.
    import av

    from edge_agent.counting.calibration import Calibration, compare, store
    from edge_agent.drivers.camera import order_of
    from edge_agent.drivers.camera_source import is_file
    from edge_agent.drivers.camera_trial import crossings

    av.logging.set_level(av.logging.PANIC)
    loaded = load_config(config)
    section = next((one for one in loaded.camera if one.id == camera), None)
    if section is None:
        raise ConfigError(f"{config}: no [[camera]] of id {camera!r}; there is: {[one.id for one in loaded.camera]}")
    typer.echo(f"请从外面开始，进出 {walks} 次，每次完全走过计数线；走完按回车。")
    typer.echo(f"Begin outside; walk in and out {walks} times, right across the line each time; then press Enter.")
    counted: list[Direction] = []
    is_over = _enter_pressed(is_needed=not is_file(section.url))
    for direction in crossings(order_of(section), is_over):
        counted.append(direction)
        typer.echo(f"{len(counted)}: {'进 in' if direction == 'in' else '出 out'}")
    found = compare(counted, walks)
    result = Calibration(SystemClock().now(), 2 * walks, found.missed, found.doubled)
    path = store(loaded.gateway.data_dir, camera, result)
    typer.echo(
        f"实际 {2 * walks} 次，漏计 {found.missed}，多计 {found.doubled}；"
        f"漏计率 {result.miss_rate:.1%}，多计率 {result.double_rate:.1%}"
    )
    typer.echo(
        f"{2 * walks} crossings, {found.missed} missed, {found.doubled} too many; "
        f"miss rate {result.miss_rate:.1%}, double rate {result.double_rate:.1%}"
    )
    typer.echo(f"{path}: 重启代理后生效 / used from the agent's next start on")


def _enter_pressed(*, is_needed: bool) -> Callable[[], bool]:
    """Becomes true when a line comes on standard input, or its end does."""
    pressed = threading.Event()

    def wait() -> None:
        sys.stdin.readline()
        pressed.set()

    if is_needed:
        threading.Thread(target=wait, name="enter", daemon=True).start()
    return pressed.is_set
