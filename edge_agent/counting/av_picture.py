"""A decoded PyAV frame as a `Picture`: one pass of swscale for each thing asked for, no OpenCV in the worker."""

import zlib

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from edge_agent.counting.picture import Grey, Part, Rgb, height_for


class AvPicture:
    """Wraps a frame; one reformatter per use is kept by `AvPictures`, since swscale's tables are made once per size."""

    def __init__(self, frame: av.VideoFrame, scalers: "Scalers") -> None:
        self._frame = frame
        self._scalers = scalers

    @property
    def width(self) -> int:
        """In pixels."""
        return self._frame.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self._frame.height

    def grey(self, width: int) -> Grey:
        """The whole frame's brightness, `width` pixels wide."""
        height = height_for(width, self.width, self.height)
        small = self._scalers.grey.reformat(
            self._frame, width=width, height=height, format="gray", interpolation=Interpolation.AREA
        )
        return plane(small)

    def rgb(self, part: Part, size: int) -> Rgb:
        """A part of the frame, squashed to `size` × `size`."""
        frame = self._frame
        if (part.width, part.height) != (self.width, self.height):
            cut = self._full_rgb()[part.y : part.y + part.height, part.x : part.x + part.width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(cut), format="rgb24")
        scaled = self._scalers.colour.reformat(
            frame, width=size, height=size, format="rgb24", interpolation=Interpolation.BILINEAR
        )
        return rgb_array(scaled)

    def fingerprint(self) -> int:
        """Of every pixel's brightness; tells pictures apart and nothing else."""
        return zlib.crc32(memoryview(self._frame.planes[0]))

    def _full_rgb(self) -> Rgb:
        return rgb_array(self._scalers.full.reformat(self._frame, format="rgb24"))


class Scalers:
    """swscale's contexts of one stream."""

    def __init__(self) -> None:
        self.grey = VideoReformatter()
        self.colour = VideoReformatter()
        self.full = VideoReformatter()


def rgb_array(frame: av.VideoFrame) -> Rgb:
    """The packed pixels without the padding at the end of the rows."""
    only = frame.planes[0]
    rows = np.frombuffer(memoryview(only), np.uint8).reshape(only.height, only.line_size)
    return np.ascontiguousarray(rows[:, : 3 * only.width]).reshape(only.height, only.width, 3)


def plane(frame: av.VideoFrame) -> Grey:
    """The first plane without the padding at the end of its rows."""
    first = frame.planes[0]
    rows = np.frombuffer(memoryview(first), np.uint8).reshape(first.height, first.line_size)
    return np.ascontiguousarray(rows[:, : first.width])


def from_array(rgb: Rgb, scalers: Scalers) -> AvPicture:
    """A picture from an array, for tests, drawn scenes and callers without PyAV."""
    return AvPicture(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"), scalers)
