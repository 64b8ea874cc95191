"""Draws what was counted into a copy of a video that the user named; heads are blurred in it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.counting.geometry import Points
from edge_agent.counting.line import Line
from edge_agent.counting.track import Track
from edge_agent.errors import ConfigError

View = Literal["oblique", "overhead"]

HEAD: Final = 0.28
"""Part of a person's height, from the top, in which the face is."""
MARGIN: Final = 0.15


class Annotator:
    """Writes one frame after the other; use it in a `with` block."""

    def __init__(
        self, path: Path, fps: float, *, view: View, line: Line | None = None, zone: Points | None = None
    ) -> None:
        """Raises ConfigError where the file cannot be written."""
        self._view, self._line, self._zone = view, line, zone
        try:
            # FFmpeg itself would find out at the first frame only.
            path.touch()
            self._container = av.open(str(path), "w")
        except (av.FFmpegError, OSError) as error:
            raise ConfigError(f"{path}: cannot be written as a video: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"{path}: is no name of a video file; use one that ends in .mp4") from error
        self._rate = Fraction(fps).limit_denominator(1000)
        self._stream: av.VideoStream | None = None
        self._count = 0

    def __enter__(self) -> "Annotator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def write(self, frame: av.VideoFrame, tracks: Sequence[Track], caption: str) -> None:
        """Add this frame with its people's boxes; every head, of unsure people too, is blurred first."""
        picture: NDArray[np.uint8] = np.ascontiguousarray(frame.to_ndarray(format="bgr24"), np.uint8)
        for track in tracks:
            blur_head(picture, track, self._view)
        for track in tracks:
            if track.is_proved:
                x1, y1, x2, y2 = (round(float(value)) for value in track.box)
                cv2.rectangle(picture, (x1, y1), (x2, y2), (60, 160, 60), 2)
        if self._zone is not None:
            cv2.polylines(picture, [np.round(self._zone).astype(np.int32)], True, (200, 120, 0), 2, cv2.LINE_AA)
        if self._line is not None:
            ends = (round(self._line.ax), round(self._line.ay)), (round(self._line.bx), round(self._line.by))
            cv2.arrowedLine(picture, ends[0], ends[1], (0, 200, 255), 2, cv2.LINE_AA, 0, 0.03)
        (width, height), below = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)
        cv2.rectangle(picture, (4, 4), (12 + width, 12 + height + below), (0, 0, 0), -1)
        cv2.putText(picture, caption, (8, 8 + height), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
        self._encode(picture)

    def _encode(self, picture: NDArray[np.uint8]) -> None:
        height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
        if self._stream is None:
            self._stream = self._container.add_stream("libx264", rate=self._rate)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        out = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="bgr24")
        out.pts, out.time_base = self._count, 1 / self._rate
        self._count += 1
        self._container.mux(self._stream.encode(out.reformat(format="yuv420p")))


def blur_head(picture: NDArray[np.uint8], track: Track, view: View) -> None:
    """Blur the upper part of a person's box, in place, beyond recognition; seen from above, the whole of it.

    From above the head is anywhere in the box.
    """
    x1, y1, x2, y2 = (float(value) for value in track.box)
    wide, tall = x2 - x1, y2 - y1
    end = y1 + HEAD * tall if view == "oblique" else y2 + MARGIN * tall
    left, right = max(0, round(x1 - MARGIN * wide)), min(picture.shape[1], round(x2 + MARGIN * wide))
    top, bottom = max(0, round(y1 - MARGIN * tall)), min(picture.shape[0], round(end))
    if left >= right or top >= bottom:
        return
    part = picture[top:bottom, left:right]
    coarse = cv2.resize(
        part, (max(1, (right - left) // 16), max(1, (bottom - top) // 16)), interpolation=cv2.INTER_AREA
    )
    picture[top:bottom, left:right] = cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
