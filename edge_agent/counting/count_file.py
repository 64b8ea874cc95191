"""Counts the people in a video file, frame by frame, by the file's own clock."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypedDict

import av
import numpy as np

from edge_agent.counting.av_picture import AvPicture, Scalers
from edge_agent.counting.back_end import make_detector
from edge_agent.counting.geometry import Points
from edge_agent.counting.line import Crossing, Line
from edge_agent.counting.pipeline import PeopleCounter, Seen
from edge_agent.counting.track import Track
from edge_agent.errors import ConfigError
from wire.clock import Clock

SAMPLE_S: Final = 0.5


class CrossingJson(TypedDict):
    """One crossing as the result file has it."""

    frame: int
    direction: str


class CountJson(TypedDict):
    """The result file."""

    crossings: list[CrossingJson]
    people_per_frame: dict[str, int]
    fps: float
    seconds: float


@dataclass(frozen=True, slots=True)
class FileCount:
    """What was counted, and how long it took."""

    crossings: list[Crossing]
    people_per_frame: dict[int, int]
    seconds: float
    """Of work, wall clock."""

    @property
    def fps(self) -> float:
        """Frames counted per second of work."""
        return len(self.people_per_frame) / max(self.seconds, 1e-9)

    def as_json(self) -> CountJson:
        """For the result file."""
        return {
            "crossings": [{"frame": one.frame, "direction": one.direction} for one in self.crossings],
            "people_per_frame": {str(frame): count for frame, count in self.people_per_frame.items()},
            "fps": round(self.fps, 2),
            "seconds": round(self.seconds, 3),
        }


def parse_numbers(text: str, what: str) -> list[float]:
    """Numbers between commas. Raises ConfigError."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"{what} {text!r}: not numbers between commas, such as 320,0,320,360") from error


def parse_line(text: str, in_side: Literal["left", "right"]) -> Line:
    """A line from `x1,y1,x2,y2`. Raises ConfigError."""
    numbers = parse_numbers(text, "--line")
    if len(numbers) != 4 or numbers[:2] == numbers[2:]:
        raise ConfigError(f"--line {text!r}: give two different points, x1,y1,x2,y2")
    ax, ay, bx, by = numbers
    return Line(ax, ay, bx, by, in_side)


def parse_zone(text: str) -> Points:
    """A polygon from `x1,y1,x2,y2,…`. Raises ConfigError."""
    return to_polygon(parse_numbers(text, "--zone"))


def to_polygon(numbers: list[float]) -> Points:
    """[n, 2] from x and y in turn. Raises ConfigError where that is no polygon."""
    if len(numbers) < 6 or len(numbers) % 2:
        raise ConfigError(f"zone of {len(numbers)} numbers: a polygon has three points or more, x1,y1,x2,y2,x3,y3,…")
    return np.array(numbers).reshape(-1, 2)


def frame_rate(path: Path) -> float:
    """Frames a second of a file. Raises ConfigError where it is no video."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ConfigError(f"{path}: has no video stream; give a video file")
            return float(container.streams.video[0].average_rate or 25)
    except (av.FFmpegError, OSError) as error:
        raise ConfigError(f"{path}: cannot be read as a video: {error.strerror}") from error


def read_frames(path: Path) -> Iterator[tuple[av.VideoFrame, float]]:
    """Frames with their seconds from the first. Raises ConfigError where the file is no video."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ConfigError(f"{path}: has no video stream; give a video file")
            stream = container.streams.video[0]
            step = float(1 / (stream.average_rate or 25))
            start: float | None = None
            last = -step
            for frame in container.decode(stream):
                stamp = frame.time
                if start is None and stamp is not None:
                    start = stamp
                # Old containers have frames without a stamp, or with one that goes back.
                seconds = last + step if stamp is None or start is None else max(stamp - start, last)
                yield frame, seconds
                last = seconds
    except (av.FFmpegError, OSError) as error:
        raise ConfigError(f"{path}: cannot be read as a video: {error.strerror}") from error


def sample(path: Path) -> Iterator[AvPicture]:
    """Pictures from all over the file, two for each second. Raises ConfigError."""
    scalers = Scalers()
    wanted = 0.0
    for frame, seconds in read_frames(path):
        if seconds >= wanted:
            wanted += SAMPLE_S
            yield AvPicture(frame, scalers)


def count_file(
    path: Path,
    line: Line | None,
    *,
    clock: Clock,
    view: Literal["oblique", "overhead"] = "oblique",
    zone: Points | None = None,
    annotate: Callable[[av.VideoFrame, Sequence[Track], Seen], None] | None = None,
) -> FileCount:
    """Count every frame of a file; `annotate` is shown each with what was seen in it.

    Raises ConfigError where the file cannot be read or the model is not built.
    """
    detector, _ = make_detector(view)
    detector.prime(lambda: sample(path))
    counter = PeopleCounter(detector, line, zone)
    scalers = Scalers()
    crossings: list[Crossing] = []
    people: dict[int, int] = {}
    start = clock.monotonic()
    for index, (frame, seconds) in enumerate(read_frames(path)):
        seen = counter.step(AvPicture(frame, scalers), index, seconds)
        crossings += seen.crossings
        people[index] = seen.present
        if annotate is not None:
            annotate(frame, counter.tracks, seen)
    crossings += counter.finish()
    crossings.sort(key=lambda one: one.frame)
    return FileCount(crossings, people, clock.monotonic() - start)
