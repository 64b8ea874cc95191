"""Devices that exist on paper alone: each is spoken to by a file of forty lines at most, and by no Python."""

from pathlib import Path

import pytest

from edge_agent.profile_examples import check_examples
from firmware_profiles.loader import load_profile

FILES = sorted((Path(__file__).parent / "strangers").glob("*.yaml"))


def test_there_are_strangers_of_every_kind_that_has_a_profile_language():
    kinds = {load_profile(path).transport.kind for path in FILES}
    assert kinds >= {"modbus", "osdp", "mqtt", "zigbee2mqtt", "gb26875"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_forty_lines_are_enough_for_a_device_that_nobody_has_seen(path: Path):
    assert [f"{fault.name}: {fault.reason}" for fault in check_examples(load_profile(path))] == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40
