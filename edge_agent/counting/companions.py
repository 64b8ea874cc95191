"""Keeps count of somebody who walks hidden behind a companion.

Two people side by side, seen from the side, are one box for seconds. A track that has proved to be a person of its own
and has walked with another for a while is carried along by that other when it loses its box to it, until it shows
again; under a new number too, because a box that turns up beside a hidden person is that person.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from edge_agent.counting.geometry import Boxes, Floats, areas, covered, intersections
from edge_agent.counting.track import PROVED, Track

APART: Final = 0.5
"""Two boxes of which less than this part of the smaller is common are two people beyond doubt."""
ONE_INSIDE_THE_OTHER: Final = 0.8
SURE: Final = 0.5
TOGETHER_S: Final = 0.8
"""How long two must have walked together before one can hide the other; people who meet do not."""
NEAR: Final = 1.2
"""Heights between the middles of companions."""
SAME_PACE: Final = 0.6
"""Heights per second by which companions' velocities may differ."""
ALIKE: Final = 0.6
"""The least ratio of companions' heights."""
BEHIND: Final = 0.5
"""Part of the hidden one that the other's box covers at least when it disappears."""
JUST_BEFORE_S: Final = 0.3
SAME_PLACE: Final = 0.25
"""Heights between a second box and whom it was on; farther off it may be somebody who comes the other way."""
WELL_PROVED: Final = 2 * PROVED
WELL_SEEN: Final = 0.55
"""Best score from which a track may be carried along unseen: the third box on a pair seldom has it."""


def follow_hidden(tracks: list[Track], time_s: float, dt_s: float, hidden_s: float) -> None:
    """Note who stands apart and who walks together, carry on those who are hidden. May take tracks out of the list."""
    confirmed = [track for track in tracks if track.is_confirmed]
    boxed = [track for track in confirmed if track.boxed_at == time_s]
    _note(boxed, dt_s)
    for track in confirmed:
        if track.boxed_at == time_s or time_s - track.boxed_at > hidden_s:
            continue
        if track.host is None:
            _find_host(track, boxed)
        if track.host is None:
            continue
        again = _showing_again(track, boxed)
        if again is None:
            _carry(track, track.host, time_s)
        else:
            track.become(again)
            tracks.remove(again)
            boxed = [other for other in boxed if other is not again]


def rejoin(tracks: list[Track], time_s: float) -> None:
    """Give the box of a track that is not proved to be a person back to whom it was born on, if that one has none.

    A detector often sees two boxes on one person for a frame or two; which of them goes on is chance.
    """
    without = {track.number: track for track in tracks if track.is_proved and track.boxed_at != time_s}
    for track in tuple(tracks):
        old = without.get(track.born_on or 0)
        if old is None or track.boxed_at != time_s or track.proof >= PROVED:
            continue
        (x, y), (old_x, old_y) = track.centre, old.centre
        if np.hypot(x - old_x, y - old_y) <= SAME_PLACE * old.height:
            del without[old.number]
            old.become(track)
            tracks.remove(track)


def _note(boxed: Sequence[Track], dt_s: float) -> None:
    """Gather proof of being a person, and time spent together."""
    if not boxed:
        return
    boxes = np.array([track.box for track in boxed])
    common = covered(boxes, boxes)
    np.fill_diagonal(common, 0.0)
    shared = shared_with_better(boxes, np.array([track.score for track in boxed]))
    for i, track in enumerate(boxed):
        most = max(common[i].max(), shared[i])
        if most < APART:
            track.proof += dt_s
        elif most < ONE_INSIDE_THE_OTHER and track.score >= SURE:
            track.proof += 0.3 * dt_s
        elif shared[i] < APART and all(
            other.born_at >= track.born_at for j, other in enumerate(boxed) if common[i, j] >= APART and i != j
        ):
            track.proof += dt_s
        for other in boxed[i + 1 :]:
            if _walk_together(track, other):
                track.company[other.number] = track.company.get(other.number, 0.0) + dt_s
                other.company[track.number] = other.company.get(track.number, 0.0) + dt_s


def shared_with_better(boxes: Boxes, scores: Floats) -> Floats:
    """[n] part of each box that others of better score have too: of two people abreast a network often sees three.

    The third box is in the middle, on half of the one and half of the other.
    """
    common = intersections(boxes, boxes)
    better = scores[None, :] > scores[:, None]
    return np.asarray((common * better).sum(axis=1) / np.maximum(areas(boxes), 1e-9))


def _walk_together(track: Track, other: Track) -> bool:
    (x, y), (other_x, other_y) = track.centre, other.centre
    height = max(track.height, other.height)
    return (
        np.hypot(x - other_x, y - other_y) <= NEAR * height
        and np.hypot(*(track.state[:2, 1] - other.state[:2, 1])) <= SAME_PACE * height
        and ALIKE <= track.height / other.height <= 1 / ALIKE
    )


def _find_host(track: Track, boxed: Sequence[Track]) -> None:
    if track.proof < WELL_PROVED or track.best_score < WELL_SEEN:
        return
    for other in boxed:
        if (
            other.proof >= WELL_PROVED
            and track.company.get(other.number, 0.0) >= TOGETHER_S
            and _walk_together(track, other)
            and covered(track.box[None], other.box[None])[0, 0] >= BEHIND
        ):
            (x, y), (other_x, other_y) = track.centre, other.centre
            track.host, track.beside = other, (x - other_x, y - other_y)
            return


def _showing_again(track: Track, boxed: Sequence[Track]) -> Track | None:
    """A younger track that has just stepped out from about where the hidden one is."""
    for other in boxed:
        is_new = other.born_at >= track.boxed_at - JUST_BEFORE_S
        is_doubtful = other.born_at >= track.born_at and other.proof < WELL_PROVED
        if other is track.host or not (is_new or is_doubtful):
            continue
        (x, y), (other_x, other_y) = track.centre, other.centre
        if np.hypot(x - other_x, y - other_y) <= NEAR * track.height and other.height / track.height >= ALIKE:
            return other
    return None


def _carry(track: Track, host: Track, time_s: float) -> None:
    """At a fixed place beside the host; when the host has no box himself, the track coasts on its own."""
    if host.boxed_at != time_s:
        return
    track.state[0] = host.state[0] + (track.beside[0], 0.0)
    track.state[1] = host.state[1] + (track.beside[1], 0.0)
    track.spread = host.spread.copy() + np.diag([(0.1 * host.height) ** 2, 0.0])
    track.middle = track.centre
    track.seen_at = time_s
