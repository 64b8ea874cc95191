"""Where pictures come from, and what is said when none do."""

import asyncio
import itertools
from pathlib import Path

import pytest
from support.mjpeg_http import MjpegCamera
from support.rtsp_udp import UdpCamera

from edge_agent.drivers.camera_source import PasswordRefusedError, frames
from edge_agent.errors import LinkError
from simulators.cameras.clips import write_clip
from simulators.cameras.scene import Corridor, draw_corridor

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def pictures():
    return list(draw_corridor(Corridor((), 2.0, 1, width=320, height=180)))


def first(count, source):
    found = list(itertools.islice(source, count))
    source.close()
    assert all((frame.width, frame.height) == (320, 180) for frame, _ in found)
    stamps = [stamp for _, stamp in found]
    assert stamps == sorted(stamps)
    return found


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("transport", ["udp", "auto"])
async def test_a_camera_that_has_nothing_but_udp_is_read(codec, transport, pictures, tmp_path):
    path = write_clip(tmp_path / "clip.mp4", pictures, 10, codec)
    async with UdpCamera(path) as camera:
        found = await asyncio.to_thread(lambda: first(30, frames(camera.url, transport)))

        assert len(found) == 30
        # Over TCP where the camera offers it; this one does not.
        assert camera.refused_tcp == (transport == "auto")


@pytest.mark.parametrize("has_lengths", [True, False])
def test_jpegs_over_http_are_read(has_lengths, pictures):
    with MjpegCamera(pictures, fps=30, has_lengths=has_lengths) as camera:
        assert len(first(15, frames(camera.url))) == 15


def test_a_password_over_http_is_used_and_a_wrong_one_is_refused_without_being_told(pictures):
    with MjpegCamera(pictures, fps=30, password="geheim123") as camera:
        right = camera.url.replace("//", "//counter:geheim123@")
        assert len(first(3, frames(right))) == 3

        with pytest.raises(PasswordRefusedError) as refused:
            next(frames(right.replace("geheim123", "falsch456")))
        assert "falsch456" not in str(refused.value)


def test_an_http_camera_that_stalls_or_hangs_up_is_told(pictures):
    with MjpegCamera(pictures, fps=30, stall_after=8) as camera, pytest.raises(LinkError, match="nothing came"):
        list(frames(camera.url))
    with MjpegCamera(pictures[:5], fps=30) as camera, pytest.raises(LinkError, match="broke off"):
        list(frames(camera.url + "once"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/dev/video99", "no such device"),
        ("/dev/null", "no camera"),
        ("/dev/video-folder/", "no such device"),
        ("rtsp://127.0.0.1:1/x", "nobody listens"),
        ("http://127.0.0.1:1/x", "nobody listens"),
        ("rtsp://no-such-host.invalid/x", "no address is known"),
        ("gopher://127.0.0.1/x", "gopher"),
        ("/no/such/file.mp4", "no such file"),
        (__file__, "no video"),
    ],
)
def test_what_gives_no_pictures_is_said_in_words(url, words):
    with pytest.raises(LinkError, match=words):
        next(frames(url))


def test_a_device_that_is_not_a_camera_is_left_open_by_nobody():
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        with pytest.raises(LinkError, match="no camera"):
            next(frames("/dev/null"))

    assert len(list(Path("/proc/self/fd").iterdir())) == before
