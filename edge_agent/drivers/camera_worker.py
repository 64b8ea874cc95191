"""The process of one camera: reads, counts, and writes numbers to its standard output. Frames die in its memory.

Started by `edge_agent.drivers.camera`; ends with it, because its standard input closes.
"""

import os
import resource
import sys
import threading
import time
from typing import BinaryIO, Final

import av
import msgspec

from edge_agent.counting.av_picture import AvPicture, Scalers
from edge_agent.counting.back_end import make_detector
from edge_agent.counting.camera_state import CameraWatch
from edge_agent.counting.count_file import to_polygon
from edge_agent.counting.freeze import FreezeWatch
from edge_agent.counting.line import Line
from edge_agent.counting.picture import THUMB_WIDTH
from edge_agent.counting.pipeline import PeopleCounter
from edge_agent.drivers.camera_feed import Feed, Fresh
from edge_agent.drivers.camera_messages import Crossed, Failed, Message, Order, Report
from edge_agent.errors import EX_CONFIG, ConfigError

REPORT_S: Final = 1.0
FEED_HANGS_S: Final = 20.0
"""The feed's own timeouts are shorter; beyond this it hangs in a library, and only a new process helps."""
NICENESS: Final = 10
BURST_S: Final = 2.0
"""CPU seconds that may be saved up while nothing moves."""
LONGEST_REST_S: Final = 0.5
EX_HUNG: Final = 75


class Counting:
    """Counts what the feed brings; starts anew when the picture's size changes."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._detector, self.detector_words = make_detector(order.view, order.max_fps, order.cpu_pct / 100)
        self._scalers = Scalers()
        self._first_size: tuple[int, int] | None = None
        self._size: tuple[int, int] | None = None
        self._counter: PeopleCounter | None = None
        self._watch = CameraWatch()
        self._freeze = FreezeWatch()
        self._frame = 0
        self.present = 0
        self.confidence = 1.0

    @property
    def watch(self) -> CameraWatch:
        """What the camera sees."""
        return self._watch

    @property
    def is_frozen(self) -> bool:
        """Whether the camera repeats one picture."""
        return self._freeze.is_frozen

    @property
    def remark(self) -> str:
        """What a person should know although it works."""
        if self._size == self._first_size or self._first_size is None or self._size is None:
            return ""
        (old_w, old_h), (new_w, new_h) = self._first_size, self._size
        return f"resolution changed from {old_w}x{old_h} to {new_w}x{new_h}, the line was scaled with it"

    def step(self, fresh: Fresh) -> list[Message]:
        """Who has crossed by this frame."""
        picture = AvPicture(fresh.frame, self._scalers)
        counter = self._counter_for(picture.width, picture.height)
        grey = picture.grey(THUMB_WIDTH)
        self._watch.step(grey, fresh.time_s)
        if self._freeze.is_due(fresh.time_s):
            self._freeze.step(picture.fingerprint(), fresh.time_s)
        seen = counter.step(picture, self._frame, fresh.time_s, grey)
        self._frame += 1
        self.present, self.confidence = seen.present, seen.confidence
        return [Crossed(one.direction, one.confidence) for one in seen.crossings]

    def _counter_for(self, width: int, height: int) -> PeopleCounter:
        if self._counter is None or self._size != (width, height):
            self._first_size = self._first_size or (width, height)
            self._size = (width, height)
            # The line was drawn on the size the camera had first; after a change it is scaled along.
            x, y = width / self._first_size[0], height / self._first_size[1]
            ax, ay, bx, by = self._order.line
            line = Line(ax * x, ay * y, bx * x, by * y, self._order.in_side)
            zone = to_polygon(self._order.zone) * (x, y) if self._order.zone else None
            self._counter = PeopleCounter(self._detector, line, zone)
        return self._counter


class Budget:
    """Keeps the process within its share of a core. Who moves for a moment may cost more than the share."""

    def __init__(self, cpu_pct: float) -> None:
        self._share = cpu_pct / 100
        self._debt_s = -BURST_S
        self._wall, self._cpu = time.monotonic(), _cpu_s()

    def rest_s(self) -> float:
        """Seconds to wait before the next frame; frames that come meanwhile are replaced by newer ones."""
        now, cpu = time.monotonic(), _cpu_s()
        spent = cpu - self._cpu - self._share * (now - self._wall)
        self._debt_s = max(-BURST_S, self._debt_s + spent)
        self._wall, self._cpu = now, cpu
        return max(0.0, min(self._debt_s / self._share, LONGEST_REST_S))


class Meter:
    """Counts what goes into one report."""

    def __init__(self) -> None:
        self._wall = time.monotonic()
        self._cpu = _cpu_s()
        self.frames = 0
        self.lag_s = 0.0
        self.rested_s = 0.0
        self._skipped = 0

    def is_due(self) -> bool:
        """Whether the report's second is over."""
        return time.monotonic() - self._wall >= REPORT_S

    def report(self, feed: Feed, counting: Counting) -> Report:
        """The report; counting begins again."""
        now, cpu = time.monotonic(), _cpu_s()
        span = max(now - self._wall, 1e-3)
        is_up = feed.link == "up"
        report = Report(
            link="up" if is_up else "connecting" if feed.link == "connecting" else "lost",
            detail=counting.remark if is_up else feed.detail,
            detector=counting.detector_words,
            scene=counting.watch.state,
            present=counting.present if is_up else 0,
            confidence=counting.confidence if is_up else 0.0,
            fps=round(self.frames / span, 1),
            skipped=feed.skipped - self._skipped,
            cpu_pct=round(100 * (cpu - self._cpu) / span, 1),
            lag_ms=round(1000 * self.lag_s, 1),
            is_frozen=is_up and counting.is_frozen,
            is_held_back=self.rested_s > 0,
        )
        self._wall, self._cpu, self.frames, self._skipped = now, cpu, 0, feed.skipped
        self.lag_s = self.rested_s = 0.0
        return report


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _claim_stdout() -> BinaryIO:
    """Standard output for messages alone; whatever a library prints goes to standard error."""
    own = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return own


def _end_with_parent() -> None:
    """Exit when the agent closes the pipe, however it ended."""
    sys.stdin.buffer.read()
    os._exit(0)


def work(order: Order, out: BinaryIO) -> None:
    """Count until the process ends. Raises ConfigError where it cannot begin."""
    encoder = msgspec.json.Encoder()

    def say(message: Message) -> None:
        out.write(encoder.encode(message) + b"\n")

    counting = Counting(order)
    feed = Feed(order.url, order.max_fps, order.transport)
    feed.start()
    meter, budget = Meter(), Budget(order.cpu_pct)
    while True:
        fresh = feed.take(REPORT_S / 2)
        if fresh is not None:
            for message in counting.step(fresh):
                say(message)
            meter.frames += 1
            meter.lag_s = max(meter.lag_s, time.monotonic() - fresh.came_s)
            if rest_s := budget.rest_s():
                meter.rested_s += rest_s
                time.sleep(rest_s)
        if meter.is_due():
            say(meter.report(feed, counting))
        if time.monotonic() - feed.touched_s > FEED_HANGS_S:
            os._exit(EX_HUNG)


def main() -> int:
    """Read the order, work. Exit status 78 where a person must mend something."""
    # A siren does not wait for a picture: buses and outbox go first when the cores are full (bench/reflex.py).
    # Batch work does not interrupt who has just woken, and inherits no real-time policy of the agent's.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(NICENESS)
    # FFmpeg's messages hold addresses with passwords.
    av.logging.set_level(av.logging.PANIC)
    out = _claim_stdout()
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        work(order, out)
    except ConfigError as error:
        out.write(msgspec.json.encode(Failed(str(error))) + b"\n")
        return EX_CONFIG
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
