"""Makes the int8 model from the fp32 one: convolutions alone, per channel, the box decoding stays in floats.

What ranges the activations have is measured on pictures of dead leaves: discs of random size and colour that cover
each other, whose statistics are those of photographs. So the build needs no photographs of anybody.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from edge_agent.counting.model_files import INPUT_SIZE

PICTURES: Final = 48
LEAVES: Final = 1200
HEAD: Final = "Predictor/BiasAdd"
SEED: Final = 20_261_124


def dead_leaves(random: np.random.Generator, size: int = INPUT_SIZE) -> NDArray[np.uint8]:
    """[size, size, 3] one picture: radii after r^-3, each leaf with a shade across it, grain on top."""
    picture = np.zeros((size, size, 3), np.float32)
    ys, xs = np.mgrid[:size, :size].astype(np.float32)
    low, high = 4.0, size / 2
    for radius in (low**-2 - random.random(LEAVES) * (low**-2 - high**-2)) ** -0.5:
        x, y = random.uniform(-radius, size + radius, 2)
        left, right = max(int(x - radius), 0), min(int(x + radius) + 1, size)
        top, bottom = max(int(y - radius), 0), min(int(y + radius) + 1, size)
        if left >= right or top >= bottom:
            continue
        dx, dy = xs[top:bottom, left:right] - x, ys[top:bottom, left:right] - y
        is_leaf = (dx * dx * random.uniform(0.3, 1.0) + dy * dy * random.uniform(0.3, 1.0)) < radius * radius
        shade = 1 + random.uniform(-0.4, 0.4) * dx / radius + random.uniform(-0.4, 0.4) * dy / radius
        colour = np.clip(random.normal(118, 60) + random.normal(0, 25, 3), 0, 255)
        picture[top:bottom, left:right][is_leaf] = (shade[..., None] * colour)[is_leaf]
    picture += random.normal(0, random.uniform(0, 8), (size, size, 1))
    return np.asarray(np.clip(picture * random.uniform(0.3, 1.3), 0, 255), np.uint8)


class _Leaves(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Feeds the calibrator."""

    def __init__(self) -> None:
        self._pictures = self._make()

    def _make(self) -> Iterator[dict[str, NDArray[np.uint8]]]:
        random = np.random.default_rng(SEED)
        for _ in range(PICTURES):
            yield {"image": dead_leaves(random)[None]}

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next picture, None after the last."""
        return next(self._pictures, None)


def quantise(source: Path, target: Path) -> None:
    """Write the int8 model. It saturates on x86 without VNNI; `self_test` sees that and keeps to fp32 there."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        quantize_static(
            str(ready),
            str(target),
            _Leaves(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            # Dead leaves are nobody: their scores' range would cut off every person's.
            nodes_to_exclude=[node.name for node in onnx.load(ready).graph.node if HEAD in node.output[0]],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
