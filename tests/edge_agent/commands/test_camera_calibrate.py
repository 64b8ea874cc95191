"""`anfang-agent camera calibrate` from the configuration to the stored rates, on a drawn film with the real model."""

import dataclasses

import pytest
from typer.testing import CliRunner

from edge_agent.cli import build_app
from edge_agent.counting.calibration import load
from edge_agent.counting.model_files import FP32, find_model
from edge_agent.errors import ConfigError
from simulators.cameras.clips import write_clip
from simulators.cameras.scene import Corridor, draw_corridor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CONFIG = """
[gateway]
id = "gw-test"
data_dir = "{data}"
[hub]
url = "mqtt://127.0.0.1:1883"
[[camera]]
id = "cam-lobby"
url = "{clip}"
line = [320, 0, 320, 360]
in_side = "right"
"""


def film(folder, walks):
    """Five times in and out by one installer, faster than he would, and the film of it."""
    one = Corridor.random(4, walkers=1, behaviours=("pass",)).walkers[0]
    inwards = (
        tuple(place for _, place in one.way) if one.way[0][1] > one.way[-1][1] else (one.way[-1][1], one.way[0][1])
    )
    walkers = []
    for turn in range(2 * walks):
        first, last = inwards if turn % 2 == 0 else inwards[::-1]
        walkers.append(dataclasses.replace(one, way=((1 + 4.0 * turn, first), (4.5 + 4.0 * turn, last))))
    corridor = Corridor(tuple(walkers), 2 + 8.0 * walks, 4)
    return write_clip(folder / "walks.mp4", draw_corridor(corridor), 10)


def test_an_installer_who_walks_is_counted_at_the_camera_itself(tmp_path):
    try:
        find_model(FP32)
    except ConfigError as error:
        pytest.fail(str(error))
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(data=tmp_path / "data", clip=film(tmp_path, 5)))

    result = CliRunner().invoke(build_app("camera"), ["camera", "calibrate", str(config), "cam-lobby", "--walks", "5"])

    assert result.exit_code == 0, result.output
    found = load(tmp_path / "data", "cam-lobby")
    # The film plays by the clock, and a busy machine skips frames: how many are missed is its affair.
    assert found.crossings == 10
    assert found.missed < 10


def test_what_was_counted_becomes_rates_that_are_kept_and_told_in_both_languages(tmp_path, monkeypatch):
    counted = ["in", "out", "in", "in", "out", "out", "in", "out", "in", "out", "in"]
    monkeypatch.setattr("edge_agent.drivers.camera_trial.crossings", lambda order, is_over: iter(counted))
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(data=tmp_path / "data", clip="x.mp4"))

    result = CliRunner().invoke(build_app("camera"), ["camera", "calibrate", str(config), "cam-lobby", "--walks", "5"])

    assert result.exit_code == 0, result.output
    found = load(tmp_path / "data", "cam-lobby")
    assert (found.crossings, found.missed, found.doubled) == (10, 1, 2)
    assert f"miss rate {found.miss_rate:.1%}" in result.output
    assert f"漏计率 {found.miss_rate:.1%}" in result.output


def test_a_camera_that_is_not_configured_is_named(tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG.format(data=tmp_path / "data", clip="x.mp4"))

    result = CliRunner().invoke(build_app("camera"), ["camera", "calibrate", str(config), "cam-9"])

    assert isinstance(result.exception, ConfigError)
    assert "cam-lobby" in str(result.exception)
