"""Tells whether a camera still sees what it was set up to see: covered, dark, moved or ok.

Looks once a second at the small grey picture. A state is told only after it has lasted, so that somebody who walks
close by, or a lamp that is switched, is no alarm.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_agent.counting.picture import Grey

SceneState = Literal["ok", "covered", "dark", "moved"]
Floats = NDArray[np.float32]

LOOK_S: Final = 1.0
DARK_LEVEL: Final = 20.0
"""Brightness, of 255, that nine tenths of a dark picture stay under."""
FLAT: Final = 3.0
"""Mean steepness, in brightness per pixel, under which a picture shows nothing."""
FLAT_PART: Final = 0.25
"""The same as a part of the reference's."""
BLOCKS: Final = (6, 8)
ALIKE: Final = 0.35
"""Correlation of a block's edges with the reference's under which it shows something else."""
MOST_BLOCKS: Final = 0.6
TEACH_LOOKS: Final = 10
LASTS_S: Final = {"ok": 5.0, "covered": 15.0, "dark": 15.0, "moved": 25.0}
KEEP: Final = 0.998
"""Per look: the reference follows the seasons' light within a quarter of an hour, as long as all is well."""


class CameraWatch:
    """Give it small grey pictures with their times in seconds; `state` is what has lasted."""

    def __init__(self) -> None:
        self.state: SceneState = "ok"
        self._looked_at = -np.inf
        self._reference: Floats | None = None
        self._looks = 0
        self._candidate: SceneState = "ok"
        self._since = 0.0

    def step(self, grey: Grey, time_s: float) -> SceneState:
        """The state now."""
        if time_s - self._looked_at < LOOK_S:
            return self.state
        self._looked_at = time_s
        seems = self._judge(grey)
        if seems != self._candidate:
            self._candidate, self._since = seems, time_s
        if time_s - self._since >= LASTS_S[seems]:
            self.state = seems
        return self.state

    def _judge(self, grey: Grey) -> SceneState:
        edges = edge_map(grey)
        is_dark = float(np.percentile(grey, 90)) < DARK_LEVEL
        if self._reference is None or self._reference.shape != edges.shape:
            self._reference, self._looks = edges, 1
            return "dark" if is_dark else "ok"
        known = float(self._reference.mean())
        if is_dark:
            return "dark"
        if float(edges.mean()) < min(FLAT, FLAT_PART * known):
            return "covered"
        if self._looks < TEACH_LOOKS:
            self._looks += 1
            self._reference += (edges - self._reference) / self._looks
            return "ok"
        if changed_part(edges, self._reference) > MOST_BLOCKS:
            return "moved"
        if self.state == "ok":
            self._reference = KEEP * self._reference + np.float32(1 - KEEP) * edges
        return "ok"


def edge_map(grey: Grey) -> Floats:
    """[h - 2, w - 2] steepness of the brightness, per pixel."""
    level = grey.astype(np.float32)
    across = level[1:-1, 2:] - level[1:-1, :-2]
    down = level[2:, 1:-1] - level[:-2, 1:-1]
    return np.asarray(np.hypot(across, down) / 2)


def changed_part(edges: Floats, reference: Floats) -> float:
    """Part, 0 to 1, of the blocks with something to see in which the edges are elsewhere now."""
    rows, columns = BLOCKS
    height, width = edges.shape[0] // rows * rows, edges.shape[1] // columns * columns
    now, then = (
        part[:height, :width].reshape(rows, height // rows, columns, -1).swapaxes(1, 2).reshape(rows * columns, -1)
        for part in (edges, reference)
    )
    telling = then.mean(axis=1) > max(1.0, 0.3 * float(then.mean()))
    if np.count_nonzero(telling) < 4:
        return 0.0
    now, then = (part[telling] - part[telling].mean(axis=1, keepdims=True) for part in (now, then))
    common = (now * then).sum(axis=1) / np.maximum(np.linalg.norm(now, axis=1) * np.linalg.norm(then, axis=1), 1e-6)
    return float(np.mean(common < ALIKE))
