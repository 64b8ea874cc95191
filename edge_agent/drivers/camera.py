"""The driver of one camera: keeps its worker process alive and makes events of what the worker counts."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from edge_agent.backoff import Backoff
from edge_agent.config import CameraSection
from edge_agent.counting.buckets import Bucket, Buckets
from edge_agent.counting.calibration import Calibration
from edge_agent.drivers.camera_messages import Crossed, Failed, Message, Order, Report
from edge_agent.drivers.camera_source import with_password, without_password
from edge_agent.errors import CommandError, ConfigError, OutboxError
from edge_agent.ports import DriverContext
from edge_agent.secrets import read_secret
from wire.events import (
    CameraState,
    CameraStateData,
    DriverHealth,
    KnownEvent,
    PeopleCrossing,
    PeopleCrossingData,
    PeoplePresent,
    PeoplePresentData,
)

START_S: Final = 30.0
"""Time in which a worker must give its first sign of life: it loads the model."""
SILENT_S: Final = 8.0
"""A worker says something every second; one that is silent so long hangs and is killed."""
LOST_AFTER_S: Final = 3.0
"""A stream may break for so long before `camera.state` says lost."""
FLUENT: Final = 60.0
MOST_UNSENT: Final = 10_000
LINE_NAME: Final = "line"
FROZEN: Final = "the picture stands still to the last bit: the camera's encoder hangs, restart the camera"
SKIPPING: Final = 0.2
"""Part of the frames that may be skipped before the worker counts as degraded."""

log = structlog.get_logger()


class CameraDriver:
    """See `edge_agent.ports.Driver`. Crossings are told per bucket, never per person (privacy P3)."""

    def __init__(self, camera: CameraSection, context: DriverContext, calibration: Calibration | None = None) -> None:
        """Raises ConfigError where the password's file cannot be read."""
        self._camera = camera
        self._calibration = calibration
        self._context = context
        self._order = order_of(camera)
        self._secrets = _secrets(self._order.url)
        self._buckets = Buckets(camera.bucket_s)
        self._unsent: deque[KnownEvent] = deque(maxlen=MOST_UNSENT)
        self._restarts = 0
        self._report: Report | None = None
        self._trouble: DriverHealth | None = DriverHealth(state="starting")
        self._state: str | None = None
        self._lost_since: float | None = None
        self._backoff = Backoff(first_s=0.5, most_s=20.0)

    @property
    def name(self) -> str:
        """`camera-` and the camera's id."""
        return f"camera-{self._camera.id}"

    @property
    def device_ids(self) -> frozenset[str]:
        """The camera alone."""
        return frozenset({self._camera.id})

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """Raises CommandError: a camera only watches."""
        raise CommandError(f"{device_id}: a camera has no command {command!r}")

    def health(self) -> DriverHealth:
        """How the worker fares: link, rate, share of a core, frames skipped."""
        if self._trouble is not None or self._report is None:
            trouble = self._trouble or DriverHealth(state="starting")
            return DriverHealth(state=trouble.state, detail=trouble.detail, restarts=self._restarts)
        report = self._report
        words = [report.detail] if report.detail else []
        if report.link == "up":
            words.append(f"{report.fps:g} frames/s, {report.cpu_pct:.0f} % of a core, {report.detector}")
        has_skipped = report.skipped > SKIPPING * (report.skipped + report.fps)
        if has_skipped:
            why = "cpu_pct is used up, raise it" if report.is_held_back else "the CPU cannot keep up, lower max_fps"
            words.append(f"{report.skipped} frames/s skipped: {why}; counted {report.lag_ms:.0f} ms late at most")
        if report.scene != "ok" and report.link == "up":
            words.append(f"the picture is {report.scene}")
        if report.is_frozen:
            words.append(FROZEN)
        is_well = report.link == "up" and report.scene == "ok" and not report.is_frozen and not has_skipped
        detail = "; ".join(words)[:512]
        if report.link == "connecting":
            return DriverHealth(state="starting", detail=detail, restarts=self._restarts)
        return DriverHealth(state="running" if is_well else "degraded", detail=detail, restarts=self._restarts)

    async def run(self) -> None:
        """Keep a worker running until cancelled; what was counted in an unfinished bucket is told at the end."""
        try:
            while True:
                why = await self._one_worker()
                self._restarts += 1
                self._report = None
                self._trouble = DriverHealth(state="backing_off", detail=why[:512])
                await self._tell_state("lost", why)
                pause_s = self._backoff.next_s()
                log.error("camera.worker_ended", camera=self._camera.id, why=why, pause_s=round(pause_s, 1))
                await self._rest(pause_s)
        finally:
            self._gather(self._buckets.flush(self._context.clock.now()))
            await self._send()

    async def _rest(self, pause_s: float) -> None:
        end = self._context.clock.monotonic() + pause_s
        while (left := end - self._context.clock.monotonic()) > 0:
            self._context.beat()
            await self._context.clock.sleep(min(left, 2.0))

    async def _one_worker(self) -> str:
        """Start a worker and follow it to its end. Returns why it ended."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge_agent.drivers.camera_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # glibc would make an arena per thread and keep what each ever needed: 142 MB against 159.
            env={**os.environ, "MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "1000000", "OMP_NUM_THREADS": "1"},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        complaints: deque[str] = deque(maxlen=20)
        listener = asyncio.create_task(self._listen_to_complaints(process.stderr, complaints))
        try:
            process.stdin.write(msgspec.json.encode(self._order) + b"\n")
            with contextlib.suppress(ConnectionError):
                await process.stdin.drain()
            why = await self._follow(process.stdout)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await listener
        if complaints:
            log.error("camera.worker_complained", camera=self._camera.id, lines=list(complaints))
        return why or f"the worker ended with status {process.returncode}"

    async def _follow(self, stdout: asyncio.StreamReader) -> str | None:
        """Handle the worker's messages until it ends (None) or must be ended (why)."""
        decoder = msgspec.json.Decoder(Message)
        patience_s = START_S
        started_s = self._context.clock.monotonic()
        while True:
            try:
                # The worker is a real process: what it takes is real time, whatever the clock of the test.
                line = await asyncio.wait_for(stdout.readline(), patience_s)
            except TimeoutError:
                return f"the worker hung: silent for {patience_s:.0f} s"
            if not line:
                return None
            patience_s = SILENT_S
            self._context.beat()
            message = decoder.decode(line)
            if isinstance(message, Failed):
                return message.reason
            await self._handle(message)
            if self._context.clock.monotonic() - started_s > FLUENT:
                self._backoff.reset()

    async def _handle(self, message: Crossed | Report) -> None:
        if isinstance(message, Crossed):
            self._buckets.crossed(message.direction, message.confidence)
        else:
            self._report, self._trouble = message, None
            if message.link == "up" and not message.is_frozen:
                self._buckets.present(message.present, message.confidence)
            await self._judge(message)
        bucket = self._buckets.finished(self._context.clock.now())
        if bucket is not None:
            self._gather(bucket)
        await self._send()

    async def _judge(self, report: Report) -> None:
        now = self._context.clock.monotonic()
        if report.link == "up":
            self._lost_since = None
            # A picture that no longer changes is as good as none, and a hub of any age knows `lost`. Where there is
            # nothing to see anyway (black, a lid without grain), that is the better word.
            is_lost = report.is_frozen and report.scene == "ok"
            await self._tell_state("lost" if is_lost else report.scene, FROZEN if is_lost else "")
            return
        self._lost_since = now if self._lost_since is None else self._lost_since
        if report.link == "lost" and now - self._lost_since >= LOST_AFTER_S:
            await self._tell_state("lost", report.detail)

    async def _tell_state(self, state: str, detail: str) -> None:
        if state == self._state:
            return
        self._state = state
        said: dict[str, Any] = {"state": state, "detail": detail[:512]}
        if self._calibration is not None:
            said["miss_rate"] = round(self._calibration.miss_rate, 4)
            said["double_rate"] = round(self._calibration.double_rate, 4)
        data = msgspec.convert(said, CameraStateData)
        now = self._context.clock.now()
        self._unsent.append(CameraState(observed_at=now, device=self._camera.id, unit=self._camera.unit, data=data))
        await self._send()

    def _gather(self, bucket: Bucket) -> None:
        camera, unit = self._camera.id, self._camera.unit
        for one in bucket.crossings:
            data = PeopleCrossingData(
                direction=one.direction,
                count=one.count,
                line=LINE_NAME,
                confidence=round(one.confidence, 3),
                window_s=bucket.window_s,
            )
            self._unsent.append(PeopleCrossing(observed_at=bucket.end, device=camera, unit=unit, data=data))
        if bucket.present is not None:
            present = PeoplePresentData(
                count=bucket.present, confidence=round(bucket.present_confidence, 3), window_s=bucket.window_s
            )
            self._unsent.append(PeoplePresent(observed_at=bucket.end, device=camera, unit=unit, data=present))

    async def _send(self) -> None:
        """Hand over what has gathered; what the outbox refuses is kept for the next time."""
        while self._unsent:
            batch = list(self._unsent)
            self._unsent.clear()
            accepting = asyncio.ensure_future(self._context.sink.accept(batch))
            try:
                # A cancellation half way would leave open whether they are on disk, and count them twice.
                await asyncio.shield(accepting)
            except asyncio.CancelledError:
                await accepting
                raise
            except OutboxError as error:
                self._unsent.extendleft(reversed(batch))
                log.error("camera.outbox", camera=self._camera.id, why=str(error), unsent=len(batch))
                return

    async def _listen_to_complaints(self, stderr: asyncio.StreamReader, complaints: deque[str]) -> None:
        """Keep the last lines, without any password."""
        with contextlib.suppress(ValueError):
            while line := await stderr.readline():
                text = line.decode("utf-8", "replace").rstrip()
                for secret in self._secrets:
                    text = text.replace(secret, "***")
                complaints.append(text)


def order_of(camera: CameraSection) -> Order:
    """What a worker has to do for this camera. Raises ConfigError."""
    url = camera.url
    if camera.password_file is not None:
        url = with_password(url, read_secret(camera.password_file, f"camera {camera.id}: password_file"))
    if camera.line[:2] == camera.line[2:]:
        raise ConfigError(f"camera {camera.id}: line: both points are the same; give two")
    return Order(
        url=url,
        line=camera.line,
        in_side=camera.in_side,
        view=camera.view,
        max_fps=camera.max_fps,
        zone=camera.zone,
        transport=camera.transport,
        cpu_pct=camera.cpu_pct,
    )


def _secrets(url: str) -> list[str]:
    """What must not stand in a log, longest first."""
    place = without_password(url)
    if place == url:
        return []
    credentials = urlsplit(url).netloc.rpartition("@")[0]
    return [url, credentials, *filter(None, [credentials.partition(":")[2]])]
