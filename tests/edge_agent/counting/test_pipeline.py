"""The pipeline with a detector that is told what to see: zones by feet or by middles, and what is still at the end."""

import numpy as np
import pytest

from edge_agent.counting.line import Line
from edge_agent.counting.pipeline import PeopleCounter
from edge_agent.counting.tracker import NOBODY, Detections, TrackerSettings

ZONE = np.array([(0, 200), (640, 200), (640, 300), (0, 300)], float)


class Told:
    """Sees at each second what it is told."""

    settings, look_again_s = TrackerSettings(), 30.0

    def __init__(self, *, sees_feet=True):
        self.sees_feet, self.now = sees_feet, NOBODY

    def detect(self, picture, grey, time_s):
        return self.now

    def prime(self, pictures):
        raise AssertionError("nothing to learn from")


class Plain:
    """A picture in which every frame differs from the last."""

    width, height = 640, 360

    def __init__(self, index):
        self.index = index

    def grey(self, width):
        level = np.full((54, width), 100, np.uint8)
        level[:10, :10] = 255 * (self.index % 2)
        return level

    def rgb(self, part, size):
        raise AssertionError("nobody asks for colours")


def person(x, feet_y, tall=120.0):
    return Detections(np.array([(x - 24, feet_y - tall, x + 24, feet_y)], float), np.array([0.9]))


@pytest.mark.parametrize(
    ("sees_feet", "feet_y", "present"), [(True, 250, 1), (True, 330, 0), (False, 330, 1), (False, 250, 0)]
)
def test_a_zone_is_where_the_feet_are_and_from_above_where_the_middle_is(sees_feet, feet_y, present):
    detector = Told(sees_feet=sees_feet)
    counter = PeopleCounter(detector, None, ZONE)
    for index in range(20):
        detector.now = person(300, feet_y)
        seen = counter.step(Plain(index), index, index / 10)

    assert seen.present == present


def test_who_is_just_over_the_line_when_the_video_ends_is_counted():
    detector = Told()
    counter, found = PeopleCounter(detector, Line(320, 0, 320, 360, "right")), []
    for index in range(24):
        detector.now = person(500 - 200 * index / 23, 250)
        found += counter.step(Plain(index), index, index / 10).crossings

    assert found == []
    assert [one.direction for one in counter.finish()] == ["in"]
    assert counter.finish() == []
