"""`anfang-agent profile`: what it says, and that what it writes works."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.profile_examples import check_examples
from edge_agent.profile_starts import KINDS, start_of
from firmware_profiles.loader import parse_profile


def agent(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("anfang-agent")), "profile", *words],
        capture_output=True, text=True, check=False, timeout=60, env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_gives_to_start_from_is_valid_and_short(kind: str):
    text = start_of(kind, 'Acme "best"', "S1")
    assert list(check_examples(parse_profile(text, "p.yaml"))) == []
    assert len(text.splitlines()) <= 40


def test_a_new_profile_is_written_once_and_validates(tmp_path: Path):
    path = tmp_path / "acme.yaml"
    assert agent("new", "modbus", str(path), "--vendor", "Acme").returncode == 0
    assert "examples come true" in agent("validate", str(path)).stdout
    again = agent("new", "modbus", str(path))
    assert (again.returncode, "it is there already" in again.stderr) == (1, True)


def test_an_example_that_does_not_come_true_is_said_with_its_line(tmp_path: Path):
    path = tmp_path / "acme.yaml"
    path.write_text(start_of("modbus", "Acme", "S1").replace("temperature_c: 21.5}}", "temperature_c: 22}}"))
    found = agent("validate", str(path))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "smoke at 21.5" in text)
    assert found.returncode == 1
    assert f"{path}:{line}: examples.0" in found.stderr
    assert "Traceback" not in found.stderr


def test_explain_shows_what_an_input_means(tmp_path: Path):
    found = agent("explain", "heiman/hs1sa", "--input", '{"smoke": true, "test": false}')
    assert found.returncode == 0, found.stderr
    assert "event smoke.state" in found.stdout
    assert "'alarm': True" in found.stdout
