"""Chooses the detector for a camera's view."""

from typing import Literal

from edge_agent.counting.detector import Detector
from edge_agent.counting.model_files import FP32, find_model


def make_detector(
    view: Literal["oblique", "overhead"], max_fps: float | None = None, cores: float = 1.0
) -> tuple[Detector, str]:
    """The back end for that view, and in words which it is. Raises ConfigError where its model is not built.

    `max_fps` is for live cameras, whose model has to be quick enough on so many cores; a file waits, and is counted
    alike everywhere.
    """
    if view == "overhead":
        # OpenCV takes 60 MB of memory that an oblique camera's worker does not need.
        from edge_agent.counting.overhead import Overhead
        from edge_agent.counting.ssdlite import SsdLite

        # fp32 always: int8 loses the low scores that people from above have.
        return Overhead(SsdLite(find_model(FP32))), "overhead"
    # ONNX Runtime likewise.
    from edge_agent.counting.self_test import choose
    from edge_agent.counting.ssdlite import SsdLite

    if max_fps is None:
        return SsdLite(find_model(FP32)), "fp32"
    choice = choose(max_fps, cores)
    return choice.detector, choice.words
