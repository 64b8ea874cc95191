"""Chooses the model by a short trial on the box: fp32 where it is quick enough, int8 where only that is.

fp32 counts a little better (COCO AP50 .58 against .54). int8 is quicker only where the processor has instructions for
it, and on x86 without VNNI it may saturate: so it has to agree with fp32 before it is taken.
"""

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final, Literal

import numpy as np

from edge_agent.counting.model_files import FP32, INPUT_SIZE, INT8, find_model
from edge_agent.counting.picture import Rgb
from edge_agent.counting.ssdlite import SsdLite

RUNS: Final = 9
WARM_UP: Final = 2
SHARE: Final = 0.5
"""Part of one core that the network of one camera may take while people move."""
WORTH: Final = 0.9
"""int8 has to take less than this part of fp32's time."""
MOST_DISAGREEMENT: Final = 0.15
SEED: Final = 1

Precision = Literal["fp32", "int8"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model, and why."""

    detector: SsdLite
    precision: Precision
    milliseconds: float
    """Median of one run."""

    @property
    def words(self) -> str:
        """For health and logs."""
        return f"{self.precision}, {self.milliseconds:.0f} ms a frame"


def choose(max_fps: float, threads: int = 1) -> Choice:
    """The model for a camera of so many frames a second. Raises ConfigError where the models are not built."""
    picture = _picture()
    first = SsdLite(find_model(FP32), threads)
    first_ms = milliseconds(first, picture)
    if first_ms * max_fps <= 1000 * SHARE:
        return Choice(first, "fp32", first_ms)
    second = SsdLite(find_model(INT8), threads)
    second_ms = milliseconds(second, picture)
    if second_ms < WORTH * first_ms and disagreement(first, second, picture) <= MOST_DISAGREEMENT:
        return Choice(second, "int8", second_ms)
    return Choice(first, "fp32", first_ms)


def milliseconds(detector: SsdLite, picture: Rgb) -> float:
    """Median time of one run of the network."""
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        detector.infer(picture)
        times.append(1000 * (perf_counter() - start))
    return median(times[WARM_UP:])


def disagreement(first: SsdLite, second: SsdLite, picture: Rgb) -> float:
    """Greatest difference of a score."""
    return float(np.max(np.abs(first.infer(picture)[0] - second.infer(picture)[0])))


def _picture() -> Rgb:
    """Blurred noise: something to look at in every layer, and nobody."""
    coarse = np.random.default_rng(SEED).integers(0, 255, (20, 20, 3), np.uint8)
    return np.repeat(np.repeat(coarse, INPUT_SIZE // 20, axis=0), INPUT_SIZE // 20, axis=1)
