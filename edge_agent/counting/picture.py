"""One frame as the counting core sees it: a small grey picture at once, colours of any part on demand."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]  # [height, width]
Rgb = NDArray[np.uint8]  # [height, width, 3]

THUMB_WIDTH: Final = 96
"""Width of the small grey picture that gate and camera checks look at."""


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a frame in whole pixels."""

    x: int
    y: int
    width: int
    height: int


class Picture(Protocol):
    """A frame in memory. What is not asked for is never computed."""

    @property
    def width(self) -> int:
        """In pixels."""
        ...

    @property
    def height(self) -> int:
        """In pixels."""
        ...

    def grey(self, width: int) -> Grey:
        """The whole frame's brightness, `width` pixels wide and in proportion high."""
        ...

    def rgb(self, part: Part, size: int) -> Rgb:
        """A part of the frame, squashed to `size` × `size`."""
        ...


def height_for(width: int, full_width: int, full_height: int) -> int:
    """The height in proportion; at least two, even (swscale wants it)."""
    return max(2, round(width * full_height / full_width / 2) * 2)
