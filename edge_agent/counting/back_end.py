"""Chooses the detector for a camera's view."""

from typing import Literal

from edge_agent.counting.detector import Detector
from edge_agent.counting.model_files import FP32, find_model


def make_detector(view: Literal["oblique", "overhead"], threads: int = 1) -> Detector:
    """The back end for that view. Raises ConfigError where its model is not built."""
    if view == "overhead":
        # OpenCV takes 60 MB of memory that an oblique camera's worker does not need.
        from edge_agent.counting.overhead import Overhead

        return Overhead()
    # ONNX Runtime likewise.
    from edge_agent.counting.ssdlite import SsdLite

    return SsdLite(find_model(FP32), threads)
