"""Chooses the model by a short trial on the box: fp32 where it is quick enough, int8 where only that is.

fp32 counts a little better (COCO AP50 .58 against .54). int8 is quicker only where the processor has instructions for
it, and on x86 without VNNI it may saturate: so it has to agree with fp32 before it is taken.
"""

import os
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
"""Part of a camera's cores that its network may take while people move."""
WORTH: Final = 0.9
"""int8 has to take less than this part of fp32's time."""
MOST_DISAGREEMENT: Final = 0.15
MOST_THREADS: Final = 4
SEED: Final = 1

Precision = Literal["fp32", "int8"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model, and why."""

    detector: SsdLite
    precision: Precision
    threads: int
    milliseconds: float
    """Median of one run."""

    @property
    def words(self) -> str:
        """For health and logs."""
        threads = f", {self.threads} threads" if self.threads > 1 else ""
        return f"{self.precision}, {self.milliseconds:.0f} ms a frame{threads}"

    def keeps_up(self, max_fps: float, cores: float) -> bool:
        """Whether it leaves time for decoding and tracking."""
        return self.milliseconds * max_fps <= 1000 * SHARE * min(cores, 1.0)


def choose(max_fps: float, cores: float = 1.0) -> Choice:
    """Model and threads for a camera of so many frames a second that may use so many cores.

    One thread costs least per frame; more are taken only where one is too slow and there are cores to spare. Raises
    ConfigError where the models are not built.
    """
    picture = _picture()
    exact = SsdLite(find_model(FP32))
    first = Choice(exact, "fp32", 1, milliseconds(exact, picture))
    if first.keeps_up(max_fps, cores):
        return first
    tried = [first]
    quick = SsdLite(find_model(INT8))
    if disagreement(exact, quick, picture) <= MOST_DISAGREEMENT:
        second = Choice(quick, "int8", 1, milliseconds(quick, picture))
        if second.milliseconds < WORTH * first.milliseconds:
            tried.append(second)
            if second.keeps_up(max_fps, cores):
                return second
    threads = min(int(cores), len(os.sched_getaffinity(0)), MOST_THREADS)
    if threads > 1:
        best = tried[-1]
        many = SsdLite(find_model(FP32 if best.precision == "fp32" else INT8), threads)
        tried.append(Choice(many, best.precision, threads, milliseconds(many, picture)))
    return min(tried, key=lambda choice: choice.milliseconds)


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
