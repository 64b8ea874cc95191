"""Judges whether a camera is fit for counting, in plain words, Chinese and English."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.counting.camera_state import edge_map
from edge_agent.counting.picture import Grey

DARK: Final = 45.0
BLURRED: Final = 2.0
SLOW_FPS: Final = 7.0
SMALL: Final = 0.15
"""Part of the frame's height under which people get lost."""
NARROW: Final = 480


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured of a stream."""

    width: int
    height: int
    fps: float
    greys: Sequence[Grey]
    """Small grey pictures from different moments."""
    tallest: float
    """Height of the tallest person seen as a part of the frame's; 0 when nobody was seen."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to mend, in both languages."""

    zh: str
    en: str


def remarks(facts: Facts) -> list[Remark]:
    """What speaks against counting with this picture; empty when nothing does."""
    found = []
    light = float(np.percentile(np.stack(facts.greys), 90)) if facts.greys else 0.0
    steep = float(np.mean([edge_map(grey).mean() for grey in facts.greys])) if facts.greys else 0.0
    if light < DARK:
        found.append(
            Remark(
                "画面太暗：请加灯，或打开摄像头的宽动态/红外",
                "too dark: add a lamp, or turn on the camera's night mode",
            )
        )
    elif steep < BLURRED:
        found.append(Remark("画面模糊或被遮挡：请擦拭镜头、调焦", "blurred or covered: clean and focus the lens"))
    if facts.fps < SLOW_FPS:
        found.append(
            Remark(
                f"帧率只有 {facts.fps:.0f}：请设为 10 以上，否则快走的人会漏计",
                f"only {facts.fps:.0f} frames/s: set 10 or more, or who walks fast is missed",
            )
        )
    if facts.width < NARROW:
        found.append(
            Remark(
                f"宽度只有 {facts.width} 像素：请选 640 以上的子码流",
                f"only {facts.width} pixels wide: choose 640 or more",
            )
        )
    if facts.tallest == 0:
        found.append(
            Remark("没有看到人：请在画面中走动后再试一次", "nobody was seen: walk through the picture and try again")
        )
    elif facts.tallest < SMALL:
        found.append(
            Remark(
                f"人太小（画面高度的 {facts.tallest:.0%}）：请靠近或拉近镜头，至少 15%",
                f"people are too small ({facts.tallest:.0%} of the height): come nearer or zoom in, to 15 % at least",
            )
        )
    return found
