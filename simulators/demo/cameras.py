"""The clip that the demo's camera plays, and how people counted in it compare with its hand-made truth."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from simulators.cameras.clips import Clip, demo_clip
from simulators.demo.verdict import Row
from simulators.hub_api import StoredEvent

EMPTY_S: Final = 15.0
"""Of the empty scene before and after the clip: the gateway connects in the first, and the check is over in the second
or in the first of the next turn."""
MOST_WRONG: Final = 2
MOST_WRONG_SHARE: Final = 0.15
"""Of the true crossings of a direction. On an idle machine none is wrong; on a busy one frames are late, and a small
detector loses somebody in a group."""


def clip_of_the_demo() -> Clip:
    """`vtest.avi`, fetched once, or the drawn scene where it cannot be had. Takes a minute the first time."""
    return demo_clip(empty_s=EMPTY_S)


def over_after_s(clip: Clip, bucket_s: float) -> float:
    """Seconds after its beginning at which everybody in the clip has been counted and told of."""
    return clip.seconds - EMPTY_S + 1.5 * bucket_s


def counting_row(clip: Clip, camera: str, stored: Sequence[StoredEvent]) -> Row:
    """People counted over the line = people who crossed it, within what a small detector can do."""
    counted: Counter[str] = Counter()
    lines = 0
    for event in stored:
        if event.device == camera and event.kind == "people.crossing":
            counted[str(event.data["direction"])] += int(event.data["count"])
            lines += 1
    truth = Counter(str(crossing.direction) for crossing in clip.crossings)
    faults = []
    for direction in ("in", "out"):
        allowed = max(MOST_WRONG, round(MOST_WRONG_SHARE * truth[direction]))
        if abs(counted[direction] - truth[direction]) > allowed:
            faults.append(
                f"{direction}: {counted[direction]} counted, {truth[direction]} crossed; at most {allowed} may differ"
            )
    found = ", ".join(f"{direction} {counted[direction]} of {truth[direction]}" for direction in ("in", "out"))
    return Row(f"people counted in {clip.path.name}", f"{found} ({lines} events)", faults)
