"""A reader in install mode gets a key of its own; any other reader gets none."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.config import BusSection
from edge_agent.errors import LinkError
from edge_agent.pairing import pair
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine

pytestmark = pytest.mark.integration


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "rs485")
    yield made
    made.close()


def test_a_reader_in_install_mode_is_paired_and_speaks_with_its_new_key(tmp_path, line):
    reader = OsdpReader(line, 5, is_installing=True)
    key_file = tmp_path / "keys" / "reader.key"
    try:
        pair(BusSection(name="b", kind="osdp", port=str(line.path)), 5, key_file, 10)
    finally:
        reader.close()
    key = bytes.fromhex(key_file.read_text())
    assert len(key) == 16
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert [bytes(command["data"]) for command in reader.commands if "data" in command][-1] == key


def test_a_reader_with_a_key_of_its_own_is_left_alone(tmp_path, line):
    reader = OsdpReader(line, 5, key=bytes(range(16)))
    key_file = tmp_path / "reader.key"
    try:
        with pytest.raises(LinkError, match="install mode"):
            pair(BusSection(name="b", kind="osdp", port=str(line.path)), 5, key_file, 2)
    finally:
        reader.close()
    assert not key_file.exists()
    assert reader.commands == []
