"""The demo's folder, ports, dates and the gateway's configuration in it."""

import socket
from datetime import date
from pathlib import Path

import pytest

from edge_agent.config import load_config
from simulators.cameras.clips import Clip
from simulators.demo.ground_truth import Entry, TruthReader, TruthWriter
from simulators.demo.site import Site, agent_toml, dated, free_ports, make_site
from simulators.errors import StartError
from simulators.scenario_file import find_scenario, load_scenario
from wire.clock import SystemClock


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StartError, match="give another folder"):
        make_site(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_what_an_earlier_demo_left_is_removed(tmp_path: Path) -> None:
    site = make_site(tmp_path / "demo")
    site.ground_truth.touch()
    assert not make_site(tmp_path / "demo").ground_truth.exists()


def test_a_port_that_is_taken_is_replaced_and_all_are_different() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = free_ports([port, port, 0])
    assert port not in found
    assert len(set(found)) == 3


def test_dates_of_the_seed_are_counted_from_today() -> None:
    seed = "start: {today-10}, end: {today+1}, now: {today}, code: {today-x}"
    assert dated(seed, date(2026, 3, 1)) == "start: 2026-02-19, end: 2026-03-02, now: 2026-03-01, code: {today-x}"


def test_the_gateways_configuration_is_one_that_the_agent_reads(tmp_path: Path) -> None:
    scenario = load_scenario(find_scenario("morning"))
    site = Site(tmp_path, http_port=1, mqtt_port=2, rtsp_port=3)
    clip = Clip(Path("/clips/vtest.mp4"), 768, 576, 10.0, 795, (690, 215, 690, 470), "right", ())
    site.agent_config.write_text(agent_toml(scenario, site, clip), encoding="utf-8")
    config = load_config(site.agent_config)
    assert {device.id: device.unit for device in config.device} == {item.id: item.unit for item in scenario.devices}
    assert config.reflexes.sirens == scenario.sirens
    assert [camera.url for camera in config.camera] == ["rtsp://127.0.0.1:3/vtest.mp4?play_count=0"]
    assert config.camera[0].line == (690, 215, 690, 470)
    assert {bus.name: bus.kind for bus in config.bus} == {"readers": "osdp", "sensors": "modbus"}


def test_a_reader_of_the_ground_truth_waits_for_the_end_of_a_half_written_line(tmp_path: Path) -> None:
    path = tmp_path / "ground_truth.jsonl"
    reader = TruthReader(path)
    assert list(reader.new_entries()) == []
    entry = Entry(at=SystemClock().now(), device="door", step=1, what="set_state")
    writer = TruthWriter(path)
    writer.write(entry)
    with path.open("ab") as file:
        file.write(b'{"at":"2026-')
    assert list(reader.new_entries()) == [entry]
    assert list(reader.new_entries()) == []
    with path.open("ab") as file:
        file.write(b'11-24T08:00:00Z","device":"door","step":2,"what":"x"}\n')
    assert [found.step for found in reader.new_entries()] == [2]
    writer.close()
