"""What the agent and a camera's worker process say to each other: lines of JSON without any picture."""

from typing import Literal

import msgspec

from edge_agent.counting.camera_state import SceneState
from edge_agent.drivers.camera_source import Transport


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To the worker, once, on its standard input: command lines can be read by everybody, pipes cannot."""

    url: str
    """With user and password."""
    line: tuple[float, float, float, float]
    in_side: Literal["left", "right"]
    view: Literal["oblique", "overhead"]
    max_fps: float
    zone: list[float] | None = None
    transport: Transport = "auto"
    cpu_pct: float = 100.0
    """Share of one core that the worker may use on average."""


class Crossed(msgspec.Struct, frozen=True, tag="crossed"):
    """From the worker: somebody has crossed the line."""

    direction: Literal["in", "out"]
    confidence: float


class Report(msgspec.Struct, frozen=True, tag="report"):
    """From the worker, every second: its sign of life."""

    link: Literal["connecting", "up", "lost"]
    detail: str
    detector: str
    """Which model counts, and how long it takes."""
    scene: SceneState
    present: int
    confidence: float
    fps: float
    """Frames counted in the last second."""
    skipped: int
    """Frames of the last second that were too old when their turn came."""
    cpu_pct: float
    """Of one core, in the last second."""
    lag_ms: float = 0.0
    """Age of the oldest frame of the last second when it had been counted."""
    is_frozen: bool = False
    """Whether the camera shows the same picture to the last bit again and again: its encoder hangs."""
    is_held_back: bool = False
    """Whether frames were skipped to keep within the budget, and not because the CPU is too slow."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """From the worker, before it ends: it cannot work until a person mends something."""

    reason: str


Message = Crossed | Report | Failed
