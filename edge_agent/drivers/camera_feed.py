"""A thread that reads a camera for ever and keeps only its newest frame."""

import threading
import time
from dataclasses import dataclass
from typing import Final

import av

from edge_agent.backoff import Backoff
from edge_agent.drivers.camera_source import PasswordRefusedError, StreamEndedError, Transport, frames, is_file
from edge_agent.errors import LinkError

PASSWORD_PAUSES_S: Final = (8.0, 60.0, 300.0)
"""Cameras lock an account after a few wrong passwords; one that is just starting may refuse a right one once."""
SLACK: Final = 0.25
"""Part of the interval by which a frame may come early: streams jitter."""
JUMP_S: Final = 3.0
"""A stamp that is further than that from its place begins a new count: loops, restarted servers."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A frame with its time in seconds on a clock that never goes back, whatever the stream's stamps do."""

    frame: av.VideoFrame
    time_s: float
    came_s: float
    """When it was decoded, monotonic; how old it is when its turn comes is the counter's lag."""


class StreamTime:
    """Turns a stream's stamps into seconds that never go back and stay with the wall."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._last = 0.0

    def place(self, stamp: float, wall_s: float) -> float:
        """Seconds of this frame. `wall_s` is monotonic."""
        if self._offset is None or abs(stamp + self._offset - wall_s) > JUMP_S:
            self._offset = wall_s - stamp
        self._last = max(self._last, stamp + self._offset)
        return self._last


class Feed:
    """Start it, then `take` again and again. All of it ends with the process."""

    def __init__(self, url: str, max_fps: float, transport: Transport = "auto") -> None:
        self._url = url
        self._transport = transport
        self._interval = 1.0 / max_fps
        self._slot: Fresh | None = None
        self._fresh = threading.Condition()
        self._time = StreamTime()
        self._wanted_at = 0.0
        self.link: str = "connecting"
        self.detail = ""
        self.skipped = 0
        self.touched_s = time.monotonic()
        """When the thread last did anything; it hangs when this grows old."""
        self.last_frame_s = time.monotonic()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="feed", daemon=True).start()

    def take(self, timeout_s: float) -> Fresh | None:
        """The newest frame that was not taken yet, or None when none comes in time."""
        with self._fresh:
            if self._slot is None:
                self._fresh.wait(timeout_s)
            taken, self._slot = self._slot, None
            return taken

    def _run(self) -> None:
        backoff = Backoff(first_s=0.5, most_s=4.0)
        refusals, refused_s = 0, 0.0
        while True:
            self.touched_s = time.monotonic()
            try:
                self._read(backoff)
            except PasswordRefusedError as error:
                self._lost(str(error))
                refusals = refusals + 1 if refused_s == self.last_frame_s else 0
                refused_s = self.last_frame_s
                self._pause(PASSWORD_PAUSES_S[min(refusals, len(PASSWORD_PAUSES_S) - 1)])
            except StreamEndedError as error:
                self._lost(str(error))
                if is_file(self._url):
                    self._idle()
                self._pause(backoff.next_s())
            except LinkError as error:
                self._lost(str(error))
                self._pause(backoff.next_s())

    def _read(self, backoff: Backoff) -> None:
        started: tuple[float, float] | None = None
        for frame, stamp in frames(self._url, self._transport):
            now = time.monotonic()
            if is_file(self._url):
                started = started or (now, stamp)
                self._sleep_until(started[0] + stamp - started[1])
                now = time.monotonic()
            self.link, self.detail, self.touched_s, self.last_frame_s = "up", "", now, now
            backoff.reset()
            self._put(Fresh(frame, self._time.place(stamp, now), now))

    def _put(self, fresh: Fresh) -> None:
        if fresh.time_s < self._wanted_at - SLACK * self._interval:
            return
        self._wanted_at = max(self._wanted_at, fresh.time_s - self._interval) + self._interval
        with self._fresh:
            self.skipped += self._slot is not None
            self._slot = fresh
            self._fresh.notify()

    def _lost(self, detail: str) -> None:
        self.link, self.detail = "lost", detail

    def _pause(self, pause_s: float) -> None:
        self._sleep_until(time.monotonic() + pause_s)

    def _sleep_until(self, deadline: float) -> None:
        while (left := deadline - time.monotonic()) > 0:
            self.touched_s = time.monotonic()
            time.sleep(min(left, 1.0))

    def _idle(self) -> None:
        while True:
            self._pause(60.0)
