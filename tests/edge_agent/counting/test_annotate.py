"""The copy of a video that a user asks for: heads are blurred in it, line and zone are drawn."""

import av
import numpy as np
import pytest

from edge_agent.counting.annotate import Annotator, blur_head
from edge_agent.counting.line import Line
from edge_agent.counting.tracker import Detections, Tracker
from edge_agent.errors import ConfigError

GRAIN = np.random.default_rng(4).integers(0, 256, (360, 640, 3)).astype(np.uint8)


def tracks(box=(200, 60, 320, 300)):
    tracker = Tracker()
    for index in range(10):
        tracker.step(Detections(np.array([box], float), np.array([0.9])), index / 10)
    return list(tracker.tracks)


def detail(picture, x1, y1, x2, y2):
    """Mean step from one pixel to the next: 85 in the grain, next to nothing where it is blurred."""
    return float(np.abs(np.diff(picture[y1:y2, x1:x2].astype(int), axis=1)).mean())


def test_from_the_side_the_head_is_blurred_and_the_feet_are_left():
    picture = GRAIN.copy()

    blur_head(picture, tracks()[0], "oblique")

    assert detail(picture, 200, 60, 320, 120) < 5
    assert detail(picture, 200, 180, 320, 300) > 80


def test_from_above_the_head_is_anywhere_in_the_box_and_all_of_it_is_blurred():
    picture = GRAIN.copy()

    blur_head(picture, tracks()[0], "overhead")

    assert detail(picture, 200, 60, 320, 300) < 5


def test_every_frame_is_written_with_its_line_and_zone_and_blurred(tmp_path):
    path = tmp_path / "copy.mp4"
    zone = np.array([(40, 200), (600, 200), (600, 340), (40, 340)], float)
    frame = av.VideoFrame.from_ndarray(GRAIN, format="bgr24")
    with Annotator(path, 10.0, view="oblique", line=Line(480, 0, 480, 360, "right"), zone=zone) as film:
        for _ in range(7):
            film.write(frame, tracks(), "present 1")

    with av.open(str(path)) as container:
        written = [one.to_ndarray(format="rgb24") for one in container.decode(video=0)]
    assert len(written) == 7
    last = written[-1].astype(int)
    assert detail(last, 210, 66, 310, 110) < 12
    # The line is yellow, the zone blue.
    assert last[100, 478:483, 0].max() - last[100, 478:483, 2].min() > 120
    assert last[340, 100:200, 2].mean() - last[340, 100:200, 0].mean() > 60


@pytest.mark.parametrize(("name", "words"), [("no-such-folder/copy.mp4", "cannot be written"), ("copy.what", r"\.mp4")])
def test_a_file_that_cannot_be_written_is_said(name, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        Annotator(tmp_path / name, 10.0, view="oblique")
