import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.walks import FPS, VIEWS, box, count, detections, path

from edge_agent.counting.line import Line, LineCounter
from edge_agent.counting.tracker import NOBODY, Detections, Tracker

LINE = Line(320, 0, 320, 360, "right")


def follow(frames):
    """Track numbers seen in each frame."""
    tracker = Tracker()
    return [
        sorted(track.number for track in tracker.step(found, index / FPS) if track.is_proved)
        for index, found in enumerate(frames)
    ]


def walk(first=100.0, pace=8.0, frames=30):
    return [detections([box((first + pace * i, 180.0))]) for i in range(frames)]


def test_one_walker_is_one_track():
    assert {number for seen in follow(walk()) for number in seen} == {1}


def test_a_single_box_is_nobody():
    assert follow([detections([box((100, 180))]), NOBODY, NOBODY, NOBODY])[-1] == []


def test_an_unsure_box_begins_nobody_but_carries_somebody_on():
    unsure = [detections([box((100 + 8.0 * i, 180))], score=0.2) for i in range(30)]
    assert all(seen == [] for seen in follow(unsure))

    sure_then_unsure = walk(frames=5) + unsure[5:]
    assert follow(sure_then_unsure)[-1] == [1]


def test_a_gap_of_a_second_does_not_break_a_track():
    frames = walk(frames=30)
    frames[10:20] = [NOBODY] * 10

    assert {number for seen in follow(frames) for number in seen} == {1}


def test_somebody_gone_for_long_comes_back_as_somebody_new():
    frames = walk(frames=10) + [NOBODY] * 30 + walk(frames=10)

    assert follow(frames)[-1] == [2]


def test_time_that_goes_back_is_refused():
    tracker = Tracker()
    tracker.step(NOBODY, 1.0)

    with pytest.raises(ValueError, match="back"):
        tracker.step(NOBODY, 0.5)


def test_holding_keeps_everybody_where_he_is():
    tracker = Tracker()
    for index, found in enumerate(walk(frames=5)):
        tracker.step(found, index / FPS)
    before = tracker.tracks[0].centre

    for index in range(5, 300):
        tracker.hold(index / FPS)

    assert len(tracker.tracks) == 1
    assert tracker.tracks[0].centre == before


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.4, 1.5),
    st.sampled_from([-1, 1]),
    st.floats(50, 200),
    st.sampled_from([5, 10, 25]),
    st.sampled_from(sorted(VIEWS)),
)
def test_a_walker_counts_once_through_jitter_dips_and_ghosts(seed, pace, sign, tall, fps, view):
    """Boxes jitter by a twentieth of a height, scores dip for up to three frames, ghosts flash elsewhere."""
    random = np.random.default_rng(seed)
    tracker, counter, found = Tracker(VIEWS[view]), LineCounter(LINE), []
    start, end = (-60.0, 700.0) if sign > 0 else (700.0, -60.0)
    seconds = abs(end - start) / (pace * tall)
    dip = 0
    for frame in range(int(seconds * fps)):
        now = frame / fps
        x = start + sign * pace * tall * now
        jitter = random.normal(0, 0.03 * tall, 4)
        boxes, scores = [], []
        if dip == 0 and random.random() < 0.08:
            dip = int(random.integers(1, 4)) if fps >= 10 else 1
        if dip:
            dip -= 1
        elif 0 < x < 640:
            boxes.append(np.array(box((x, 180.0), tall, 1.0 if view == "overhead" else 0.4)) + jitter)
            scores.append(random.uniform(0.35, 0.95) if frame % 3 else 0.9)
        if random.random() < 0.05:
            boxes.append(np.array(box((random.uniform(0, 640), random.uniform(40, 320)), 60.0)))
            scores.append(random.uniform(0.15, 0.4))
        seen = Detections(np.array(boxes, float).reshape(-1, 4), np.array(scores, float))
        tracks = tracker.step(seen, now)
        found += counter.step(tracks, {track.number for track in tracker.tracks}, frame, now)

    assert [one.direction for one in found] == ["out" if sign > 0 else "in"]


def merged(ways, now):
    """What a detector sees of people who cover each other: one box for those nearer than a third of a height."""
    places = [place for way in ways if (place := way(now)) is not None]
    if len(places) == 2 and abs(places[0][0] - places[1][0]) < 30:
        return detections([box(places[1])])
    return detections([box(place) for place in places])


def test_a_pair_that_hides_each_other_at_the_line_counts_as_two():
    ways = [path((0, 120, 180), (2, 220, 180), (8, 520, 180)), path((0, 60, 180), (2, 205, 180), (8, 505, 180))]
    tracker, counter, found = Tracker(), LineCounter(LINE), []
    for frame in range(80):
        tracks = tracker.step(merged(ways, frame / FPS), frame / FPS)
        found += counter.step(tracks, {track.number for track in tracker.tracks}, frame, frame / FPS)

    assert [one.direction for one in found] == ["out", "out"]


def test_two_who_only_meet_do_not_carry_each_other_along():
    """One walks on, the other disappears where they meet: only who is seen on the other side counts."""
    ways = [path((0, 100, 180), (6, 560, 180)), path((0, 560, 180), (2.6, 310, 180))]

    found = count(LINE, ways, 8)

    assert [one.direction for one in found] == ["out"]


def test_two_boxes_on_one_person_count_once():
    """A second, smaller box rides on the first for a second in the middle of the walk."""
    tracker, counter, found = Tracker(), LineCounter(LINE), []
    for frame in range(60):
        x = 80 + 8.0 * frame
        boxes = [box((x, 180))]
        if 25 <= frame < 38:
            boxes.append((x - 15, 130, x + 20, 190))
        tracks = tracker.step(detections(boxes), frame / FPS)
        found += counter.step(tracks, {track.number for track in tracker.tracks}, frame, frame / FPS)

    assert len(found) == 1


def test_a_second_box_does_not_take_the_first_ones_walk_away():
    """For two frames there are two boxes on one person; it is the new one that goes on."""
    frames = walk(frames=40)
    for index in (12, 13):
        x = 100 + 8.0 * index
        frames[index] = detections([box((x - 9, 180)), box((x + 9, 180))])
    for index in range(14, 40):
        frames[index] = detections([box((105 + 8.0 * index, 180))])

    seen = follow(frames)

    assert {number for numbers in seen for number in numbers} == {1}
    assert seen[-1] == [1]


def test_a_box_that_is_cut_does_not_make_a_dwarf_of_who_is_hidden_afterwards():
    tracker = Tracker()
    for index, found in enumerate(walk(frames=20)):
        tracker.step(found, index / FPS)
    x = 100 + 8.0 * 20
    tracker.step(detections([(x - 20, 130, x + 20, 200)]), 2.0)

    for index in range(21, 34):
        tracker.step(NOBODY, index / FPS)

    assert tracker.tracks[0].height > 60


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.13, 0.29),
    st.floats(0.0, 0.5),
    st.floats(0.4, 1.0),
    st.sampled_from([-1, 1]),
    st.sampled_from(sorted(VIEWS)),
)
def test_who_sets_a_foot_over_the_line_and_returns_is_nobody(depth, pause, pace, sign, view):
    """However deep, short of a third of his height, at any pace of somebody who walks."""
    over, speed = 320 + sign * 100 * depth, 100 * pace
    start = 320 - sign * 200
    there = abs(over - start) / speed
    way = path((0, start, 180), (there, over, 180), (there + pause, over, 180), (2 * there + pause, start, 180))

    assert count(LINE, [way], 2 * there + pause + 3, view) == []


def test_a_third_box_between_two_abreast_is_nobody():
    """Seen from afar before the second of the two was, unsure, mostly on that one; gone when they come near."""
    tracker, counter, found = Tracker(), LineCounter(LINE), []
    for frame in range(60):
        x = 80 + 8.0 * frame
        boxes, scores = [box((x, 100))], [0.9]
        if frame >= 3:
            boxes.append(box((x + 4, 225)))
            scores.append(0.9)
        if frame < 24 and frame % 3:
            boxes.append(box((x + 2, 187)))
            scores.append(0.48)
        seen = Detections(np.array(boxes, float), np.array(scores))
        tracks = tracker.step(seen, frame / FPS)
        found += counter.step(tracks, {track.number for track in tracker.tracks}, frame, frame / FPS)

    assert len([*found, *counter.finish()]) == 2
