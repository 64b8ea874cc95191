"""The camera driver with its real worker process, the real model, and an RTSP server of another's making."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.servers import free_port
from support.wait import until_async

from edge_agent.config import CameraSection
from edge_agent.counting.calibration import Calibration
from edge_agent.counting.model_files import FP32, find_model
from edge_agent.drivers.camera import CameraDriver
from edge_agent.errors import ConfigError
from edge_agent.ports import DriverContext
from simulators.cameras.clips import Clip, drawn_clip, write_clip
from simulators.cameras.faults import FaultyLine, spoiled
from simulators.cameras.rtsp import RtspCamera
from simulators.cameras.scene import Corridor, draw_corridor
from wire.clock import SystemClock

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


class Kept:
    """A sink that keeps events."""

    def __init__(self) -> None:
        self.events = []

    async def accept(self, events):
        self.events += events
        return []

    def states(self):
        return [event.data.state for event in self.events if event.kind == "camera.state"]

    def count(self, direction):
        return sum(e.data.count for e in self.events if e.kind == "people.crossing" and e.data.direction == direction)


class Server:
    """The RTSP camera as a process, so that it can be killed and stopped."""

    def __init__(self, clip: Path) -> None:
        self.clip = clip
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulators.cameras.rtsp",
            str(self.clip),
            "--port",
            str(self.port),
            stdout=asyncio.subprocess.PIPE,
        )
        self.url = (await asyncio.wait_for(self.process.stdout.readline(), 60)).decode().strip()
        assert self.url.startswith("rtsp://")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Clip:
    try:
        find_model(FP32)
    except ConfigError as error:
        pytest.fail(f"{error}")
    return drawn_clip(tmp_path_factory.mktemp("clips"), seed=3, walkers=3, empty_s=4)


@pytest.fixture
async def server(clip) -> AsyncIterator[Server]:
    server = Server(clip.path)
    await server.start()
    yield server
    await server.stop()


@contextlib.asynccontextmanager
async def running(clip: Clip, url: str, **settings) -> AsyncIterator[tuple[CameraDriver, Kept]]:
    kept = Kept()
    section = CameraSection(id="cam-1", url=url, line=clip.line, in_side=clip.in_side, **{"bucket_s": 5, **settings})
    driver = CameraDriver(section, DriverContext(SystemClock(), kept, lambda: None))
    task = asyncio.create_task(driver.run())
    try:
        yield driver, kept
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def resident_mib(process: int) -> int:
    return int(Path(f"/proc/{process}/status").read_text().split("VmRSS:")[1].split()[0]) // 1024


def workers() -> list[int]:
    """The camera workers that this very process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if b"edge_agent.drivers.camera_worker" in command and parent == os.getpid():
                found.append(int(folder.name))
    return found


async def test_a_live_camera_is_counted_like_its_truth_and_told_in_buckets(clip, server):
    truth = [one.direction for one in clip.crossings]
    async with running(clip, server.url) as (driver, kept):
        # People come before the end of the clip; what the next play brings is not waited for.
        await until_async(
            lambda: kept.count("in") + kept.count("out") >= len(truth), deadline_s=clip.seconds + 40, what="crossings"
        )
        assert driver.health().state == "running"
        assert "fp32" in driver.health().detail or "int8" in driver.health().detail

    assert (kept.count("in"), kept.count("out")) == (truth.count("in"), truth.count("out"))
    assert kept.states() == ["ok"]
    assert any(event.kind == "people.present" for event in kept.events)
    crossings = [event for event in kept.events if event.kind == "people.crossing"]
    assert all(event.data.window_s == 5 for event in crossings)
    assert all(event.observed_at.second % 5 == 0 and not event.observed_at.microsecond for event in crossings[:-1])


async def test_a_server_that_dies_and_one_that_stalls_are_reported_and_come_back(clip, server):
    async with running(clip, server.url) as (driver, kept):
        await until_async(lambda: kept.states() == ["ok"], what="the stream")

        await server.stop()
        await until_async(lambda: kept.states() == ["ok", "lost"], what="lost")
        await server.start()
        await until_async(lambda: kept.states()[-1] == "ok", what="back")

        server.send(signal.SIGSTOP)
        await until_async(lambda: kept.states()[-1] == "lost", what="lost by a stall")
        server.send(signal.SIGCONT)
        await until_async(lambda: kept.states()[-1] == "ok", what="back after a stall")

        assert driver.health().restarts == 0


async def test_a_worker_that_is_killed_or_hangs_is_replaced(clip, server):
    async with running(clip, server.url) as (driver, kept):
        await until_async(lambda: kept.states() == ["ok"], what="the stream")

        os.kill(workers()[0], signal.SIGKILL)
        await until_async(lambda: driver.health().restarts == 1, what="the death seen")
        await until_async(lambda: driver.health().state == "running", what="a new worker")

        os.kill(workers()[0], signal.SIGSTOP)
        await until_async(lambda: driver.health().restarts == 2, what="the hang seen")
        await until_async(lambda: driver.health().state == "running", what="another worker")
        assert len(workers()) == 1

    await until_async(lambda: workers() == [], what="no worker left")


def written_bytes(process: int) -> int:
    """By write() and the like since it began, to whatever."""
    return int(Path(f"/proc/{process}/io").read_text().split("wchar:")[1].split()[0])


def peers(process: int) -> dict[str, list[str]]:
    """By protocol the far ends, as `address:port` in hex, of the sockets that the process has open."""
    entries = [entry.readlink().as_posix() for entry in Path(f"/proc/{process}/fd").iterdir()]
    inodes = {target[len("socket:[") : -1] for target in entries if target.startswith("socket:")}
    found: dict[str, list[str]] = {}
    for protocol in ("tcp", "tcp6", "udp", "udp6", "unix", "packet", "raw", "netlink"):
        for line in Path(f"/proc/{process}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if inodes & set(fields):
                found.setdefault(protocol, []).append(fields[2])
                inodes -= set(fields)
    assert not inodes, f"sockets of unknown kind: {inodes}"
    return found


async def test_no_frame_leaves_the_worker(clip, server):
    """Its writable files, its shared memory, the far ends of its sockets, and how much goes through its pipe."""
    async with running(clip, server.url) as (driver, kept):
        await until_async(lambda: kept.states() == ["ok"], what="the stream")
        await until_async(lambda: driver.health().state == "running", what="counting")
        (worker,) = workers()
        before, since = written_bytes(worker), asyncio.get_running_loop().time()
        await until_async(lambda: kept.count("in") + kept.count("out") > 0, deadline_s=60, what="people in the picture")
        per_s = (written_bytes(worker) - before) / (asyncio.get_running_loop().time() - since)

        writable = []
        for entry in Path(f"/proc/{worker}/fd").iterdir():
            target = entry.readlink().as_posix()
            flags = int(Path(f"/proc/{worker}/fdinfo/{entry.name}").read_text().split("flags:")[1].split()[0], 8)
            if flags & (os.O_WRONLY | os.O_RDWR) and not target.startswith(("pipe:", "socket:", "anon_inode:")):
                writable.append(target)
        maps = [line.split(maxsplit=5) for line in Path(f"/proc/{worker}/maps").read_text().splitlines()]
        shared = [fields[-1] for fields in maps if fields[1][1] == "w" and fields[1][3] == "s"]
        far_ends = peers(worker)
        resident = resident_mib(worker)

    # Standard input and the like of a test run may be /dev/null; no file may be.
    assert [target for target in writable if target != "/dev/null"] == []
    assert shared == []
    # One line to the camera and no other; 0100007F is 127.0.0.1.
    assert far_ends == {"tcp": [f"0100007F:{server.port:04X}"]}
    # A picture of this clip, packed ever so well, has more than that; a report has 300 bytes.
    assert 0 < per_s < 2000
    assert resident < 220


async def test_a_picture_that_hangs_is_told_as_lost_and_is_well_again_when_it_moves(tmp_path):
    corridor = Corridor((), 70.0, 1, fps=5.0, noise=2.0)
    path = write_clip(tmp_path / "hangs.mp4", spoiled(draw_corridor(corridor), "freeze", 20, 330), 5)
    clip = Clip(path, corridor.width, corridor.height, 5.0, corridor.frames, corridor.line, corridor.in_side, ())
    async with RtspCamera(path, loops=2) as camera, running(clip, camera.url) as (driver, kept):
        await until_async(lambda: kept.states() == ["ok", "lost"], deadline_s=75, what="the freeze told")
        assert "restart the camera" in driver.health().detail
        assert driver.health().state == "degraded"
        assert "encoder hangs" in next(e.data.detail for e in kept.events if getattr(e.data, "state", "") == "lost")

        await until_async(lambda: kept.states() == ["ok", "lost", "ok"], deadline_s=40, what="moving again")
        assert driver.health().restarts == 0


async def test_a_refused_password_is_said_without_being_told(clip):
    attempts = 0

    async def refuse(reader, writer):
        nonlocal attempts
        while request := await reader.readuntil(b"\r\n\r\n"):
            sequence = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"cseq"))
            attempts += b"DESCRIBE" in request
            writer.write(
                b"RTSP/1.0 401 Unauthorized\r\n" + sequence + b'\r\nWWW-Authenticate: Basic realm="cam"\r\n\r\n'
            )
            await writer.drain()

    async def handle(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await refuse(reader, writer)
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener, running(clip, f"rtsp://admin:geheim123@127.0.0.1:{port}/cam") as (driver, kept):
        await until_async(lambda: "password" in driver.health().detail, what="the refusal")
        await until_async(lambda: kept.states() == ["lost"], what="lost")
        seen = attempts
        await asyncio.sleep(0)
        assert "geheim123" not in driver.health().detail
        assert all("geheim123" not in event.data.detail for event in kept.events)
        assert seen <= 4


async def test_a_camera_that_speaks_h265_is_read_over_tcp(clip, tmp_path):
    path = write_clip(tmp_path / "h265.mp4", draw_corridor(Corridor((), 4.0, 1)), 10, "libx265")
    async with RtspCamera(path) as camera, running(clip, camera.url, transport="tcp") as (driver, kept):
        await until_async(lambda: kept.states() == ["ok"], deadline_s=60, what="the stream")
        assert driver.health().state == "running"


async def test_dozens_of_faults_of_the_line_are_told_and_over_without_more_memory(clip, tmp_path):
    """`bench/camera_faults.py` does the same 500 times."""
    paths = [
        write_clip(
            tmp_path / str(width) / "camera.mp4", draw_corridor(Corridor((), 6.0, 1, width=width, height=288)), 10
        )
        for width in (512, 352)
    ]
    async with RtspCamera(paths[0]) as first, RtspCamera(paths[1]) as second, FaultyLine(first.port) as line:
        url = f"rtsp://admin:geheim123@127.0.0.1:{line.port}/camera.mp4?play_count=0"
        async with running(clip, url) as (driver, kept):

            def is_up() -> bool:
                return driver.health().state == "running"

            await until_async(is_up, deadline_s=60, what="the stream")
            (worker,) = workers()
            before = None
            for index, fault in enumerate(("cut", "no_stream", "noise", "resolution", "stall", "cut") * 3):
                if fault == "resolution":
                    line.camera_port = second.port if line.camera_port == first.port else first.port
                else:
                    line.fault = fault
                if fault != "stall":
                    line.cut()
                await until_async(lambda: not is_up(), deadline_s=40, what=f"{fault} told")
                line.fault = "none"
                await until_async(is_up, deadline_s=60, what=f"back after {fault}")
                if index == 5:
                    before = resident_mib(worker)
            assert workers() == [worker]
            assert driver.health().restarts == 0
            assert resident_mib(worker) <= before + 10

            line.fault = "refuse_password"
            line.cut()
            await until_async(lambda: "password" in driver.health().detail, deadline_s=40, what="the refusal")
            await until_async(lambda: kept.states()[-1] == "lost", deadline_s=40, what="lost")
            assert "geheim123" not in driver.health().detail


async def test_what_was_calibrated_goes_with_the_cameras_state(clip):
    kept = Kept()
    section = CameraSection(id="cam-1", url=str(clip.path), line=clip.line, in_side=clip.in_side)
    measured = Calibration(datetime(2026, 11, 25, tzinfo=UTC), crossings=20, missed=3, doubled=0)
    driver = CameraDriver(section, DriverContext(SystemClock(), kept, lambda: None), measured)
    task = asyncio.create_task(driver.run())
    await until_async(lambda: kept.states() == ["ok"], deadline_s=60, what="the stream")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    (state,) = [event.data for event in kept.events if event.kind == "camera.state"][:1]
    assert state.miss_rate == pytest.approx(measured.miss_rate, abs=1e-4)
    assert state.double_rate == pytest.approx(measured.double_rate, abs=1e-4)
