"""The detector for oblique views: SSDLite-MobileNetV2 in ONNX Runtime on the CPU."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from edge_agent.counting.geometry import suppress
from edge_agent.counting.model_files import INPUT_SIZE
from edge_agent.counting.picture import Grey, Part, Picture, Rgb
from edge_agent.counting.tracker import NOBODY, Detections, TrackerSettings

LEAST_SCORE: Final = 0.15
OVERLAP: Final = 0.5
DIM: Final = 110.0
"""Brightness that 95 % of a dim picture stay under."""
BRIGHT: Final = 170.0
MOST_GAIN: Final = 8.0
WIDEST: Final = 1.3
"""Widths per height; what is wider is a row of people or a thing."""


class SsdLite:
    """One ONNX session; `threads` 1 is the cheapest per frame, 2 the quickest."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Measured: 110 MB resident with the arena alone, 114 with the pattern too, 162 with the pattern alone.
        options.enable_mem_pattern = False
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    @property
    def settings(self) -> TrackerSettings:
        """The usual ones."""
        return TrackerSettings()

    @property
    def look_again_s(self) -> float:
        """An empty place stays empty until something moves; this is only for certainty."""
        return 30.0

    @property
    def sees_feet(self) -> bool:
        """People are seen from the side."""
        return True

    def infer(self, rgb: Rgb) -> tuple[np.ndarray, np.ndarray]:
        """Scores [1917] and boxes [1917, 4] as parts of width and height, straight from the network."""
        scores, boxes = self.session.run(["scores", "boxes"], {"image": rgb[None]})
        return scores[0], boxes[0]

    def detect(self, picture: Picture, grey: Grey, time_s: float) -> Detections:
        """People in the whole frame; see `Detector`."""
        del time_s
        rgb = brightened(picture.rgb(Part(0, 0, picture.width, picture.height), INPUT_SIZE), grey)
        scores, boxes = self.infer(rgb)
        return decode(scores, boxes, picture.width, picture.height)

    def prime(self, pictures: Callable[[], Iterable[Picture]]) -> None:
        """Nothing to learn: the network knows people. See `Detector`."""


def brightened(rgb: Rgb, grey: Grey) -> Rgb:
    """The picture as if there were light enough; unchanged where there is.

    Measured with `vtest.avi` at a twentieth of its light: 15 of 15 crossings with this, 2 without.
    """
    white = float(np.percentile(grey, 95))
    if white >= DIM:
        return rgb
    gain = min(MOST_GAIN, BRIGHT / max(white, 1.0))
    return np.asarray(np.clip(np.arange(256) * gain, 0, 255).astype(np.uint8)[rgb])


def decode(scores: np.ndarray, boxes: np.ndarray, width: int, height: int) -> Detections:
    """Detections in pixels from the network's two outputs."""
    kept = np.flatnonzero(scores >= LEAST_SCORE)
    if not len(kept):
        return NOBODY
    pixels = np.clip(boxes[kept].astype(np.float64), 0, 1) * (width, height, width, height)
    likely = scores[kept].astype(np.float64)
    sides = pixels[:, 2:] - pixels[:, :2]
    upright = (sides[:, 0] <= WIDEST * sides[:, 1]) & (sides.min(axis=1) >= 1)
    pixels, likely = pixels[upright], likely[upright]
    chosen = suppress(pixels, likely, OVERLAP)
    return Detections(pixels[chosen], likely[chosen])
