"""The whole pipeline with the real model on drawn scenes whose truth is known."""

import json
from itertools import islice

import pytest
from typer.testing import CliRunner

from edge_agent.cli import build_app
from edge_agent.counting.av_picture import Scalers, from_array
from edge_agent.counting.back_end import make_detector
from edge_agent.counting.line import Line
from edge_agent.counting.model_files import FP32, find_model
from edge_agent.counting.pipeline import PeopleCounter
from edge_agent.counting.self_test import choose, disagreement
from edge_agent.counting.ssdlite import SsdLite
from edge_agent.errors import ConfigError
from simulators.cameras.above import Doorway, draw_doorway
from simulators.cameras.clips import drawn_clip
from simulators.cameras.scene import Corridor, draw_corridor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", autouse=True)
def model():
    try:
        find_model(FP32)
    except ConfigError as error:
        pytest.fail(str(error))


def counted(scene, pictures, view="oblique"):
    counter, scalers, found = PeopleCounter(make_detector(view)[0], Line(*scene.line, scene.in_side)), Scalers(), []
    looks = 0
    for index, picture in enumerate(pictures):
        seen = counter.step(from_array(picture, scalers), index, index / scene.fps)
        looks += seen.has_looked
        found += [(one.direction, one.frame) for one in seen.crossings]
    return found, looks


def assert_like(found, truth, within):
    assert sorted(direction for direction, _ in found) == sorted(direction for _, direction in truth)
    for side in ("in", "out"):
        got = sorted(frame for direction, frame in found if direction == side)
        want = sorted(frame for frame, direction in truth if direction == side)
        assert all(abs(a - b) <= within for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize(("seed", "light"), [(1, 1.0), (2, 0.3), (3, 0.06)])
def test_a_corridor_is_counted_right_by_day_and_by_night(seed, light):
    corridor = Corridor.random(seed, walkers=5, behaviours=("pass",), gap_s=(3, 6), light=light)

    assert_like(counted(corridor, draw_corridor(corridor))[0], corridor.crossings(), within=5)


def test_who_turns_at_the_line_is_not_counted():
    corridor = Corridor.random(11, walkers=4, behaviours=("turn",), gap_s=(8, 10))

    assert counted(corridor, draw_corridor(corridor))[0] == []


def test_an_empty_corridor_counts_nobody_and_the_detector_rests():
    corridor = Corridor((), 30.0, 5, noise=4.0)

    found, looks = counted(corridor, draw_corridor(corridor))

    assert found == []
    assert looks <= 3


@pytest.mark.parametrize(("seed", "light", "settles"), [(1, 1.0, 2.0), (4, 0.5, 0.0), (5, 0.25, 2.0)])
def test_a_doorway_seen_from_above_is_counted_right(seed, light, settles):
    doorway = Doorway.random(seed, conducts=("pass", "turn", "file"), light=light, exposure_settles_s=settles)

    assert_like(counted(doorway, draw_doorway(doorway), "overhead")[0], doorway.crossings(), within=8)


@pytest.mark.parametrize(
    ("seed", "conduct", "floor"), [(6, "abreast", "tiles"), (7, "meet", "planks"), (8, "stop_back", "step")]
)
def test_people_who_touch_in_a_doorway_are_told_apart_and_who_turns_back_on_it_is_nobody(seed, conduct, floor):
    alone = Doorway.random(seed, passers=4, conducts=("pass",), floor=floor)
    doorway = Doorway.random(seed, passers=4, conducts=(conduct,), floor=floor, gap_s=(7, 9))
    pictures, truth = list(draw_doorway(doorway)), doorway.crossings()
    detector = make_detector("overhead")[0]
    scalers = Scalers()
    # How large one person is has to be seen first; a file shows it when it is looked through.
    detector.prime(lambda: (from_array(picture, scalers) for picture in [*draw_doorway(alone), *pictures][::5]))
    counter, found = PeopleCounter(detector, Line(*doorway.line, doorway.in_side)), []
    for index, picture in enumerate(pictures):
        seen = counter.step(from_array(picture, scalers), index, index / doorway.fps)
        found += [(one.direction, one.frame) for one in seen.crossings]

    assert_like(found, truth, within=8)


def test_the_int8_model_agrees_with_the_other():
    corridor = Corridor.random(1, walkers=2, behaviours=("pass",))
    picture = next(islice(draw_corridor(corridor), 30, None))[:300, :300]
    quick = choose(max_fps=1000.0).detector

    assert disagreement(SsdLite(find_model(FP32)), quick, picture.copy()) < 0.5


def test_the_count_command_writes_what_is_promised(tmp_path):
    clip = drawn_clip(tmp_path, seed=3, walkers=2)
    out = tmp_path / "out.json"
    line = ",".join(str(value) for value in clip.line)

    call = ["count", str(clip.path), "--line", line, "--in-side", clip.in_side, "--json", str(out)]
    result = CliRunner().invoke(build_app("count"), call)

    assert result.exit_code == 0, result.output
    written = json.loads(out.read_text())
    assert set(written) == {"crossings", "people_per_frame", "fps", "seconds"}
    assert_like(
        [(one["direction"], one["frame"]) for one in written["crossings"]],
        [(one.frame, one.direction) for one in clip.crossings],
        within=5,
    )
    assert list(written["people_per_frame"]) == [str(frame) for frame in range(clip.frames)]


@pytest.mark.parametrize(("line", "word"), [("1,2,3", "points"), ("a,b,c,d", "numbers"), ("5,5,5,5", "points")])
def test_a_wrong_line_is_said_in_one_line(line, word, tmp_path):
    from edge_agent.counting.count_file import parse_line

    with pytest.raises(ConfigError, match=word):
        parse_line(line, "left")
