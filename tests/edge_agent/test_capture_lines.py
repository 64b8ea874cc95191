"""What other tools write is a capture too: hex dumps of a bus, what `mosquitto_sub` prints."""

from pathlib import Path

import pytest

from edge_agent.captures import CaptureError, load_capture, replay
from edge_agent.profile_examples import example_hasher
from firmware_profiles.loader import find_profile, load_profile, parse_profile
from firmware_profiles.model import Profile

STRANGERS = Path(__file__).parents[1] / "firmware_profiles" / "strangers"


def events_of(tmp_path: Path, text: str, profile: Profile) -> tuple[list[str], list[str]]:
    path = tmp_path / "capture.txt"
    path.write_text(text, encoding="utf-8")
    found = replay(load_capture(path), profile, example_hasher)
    return [event.kind for _, event in found.events], [fault for _, fault in found.faults]


def stranger(name: str) -> Profile:
    return load_profile(STRANGERS / f"{name}.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "> FF 02 00 00 00 08 6C 12\n< FF 02 01 00 90 60\n",
        "# of the product page\n12.500 TX: ff0200000008 6c12\n12.531 RX: ff 02 01 00\n12.533 RX: 90 60\n",
        "FF:02:00:00:00:08:6C:12\nFF:02:01:00:90:60\n",
        "[0.1] -> 0xFF 0x02 0x00 0x00 0x00 0x08 0x6C 0x12\n[0.2] <- 0xFF,0x02,0x01,0x00,0x90,0x60\n",
    ],
)
def test_a_dump_of_a_bus_is_read_with_and_without_times_and_directions(tmp_path: Path, text: str):
    events, faults = events_of(tmp_path, text, load_profile(find_profile("novabo/sqr-2")))
    assert faults == []
    assert "smoke.state" in events


def test_what_mosquitto_sub_prints_is_read(tmp_path: Path):
    text = (
        'tuya/eb1/status {"status":[{"code":"unlock_card","value":7},{"code":"residual_electricity","value":12}]}\n'
        'tuya/eb1/other {"status":[{"code":"unlock_card","value":7}]}\n'
        '{"tst":"2026-01-01T00:00:00Z","topic":"tuya/eb1/status","payload":{"status":[{"code":"hijack","value":true}]}}\n'
        "tuya/eb1/status hello\n"
    )
    events, faults = events_of(tmp_path, text, stranger("tuya-lock-report"))
    assert events == ["device.health", "lock.access", "device.health", "lock.alarm"]
    assert faults == ["payload: not JSON"]


def test_of_many_devices_on_one_topic_one_is_followed(tmp_path: Path):
    path = tmp_path / "c.txt"
    path.write_text('gw/9/tags {"tags": [{"mac": "c4:01", "alarms": ["SMOKE"]}, {"mac": "C4:02", "alarms": []}]}\n')
    for address, alarm in (("C4:01", True), ("C4:02", False)):
        found = replay(load_capture(path), stranger("radio-gateway"), example_hasher, address)
        assert [event.data.alarm for _, event in found.events if event.kind == "smoke.state"] == [alarm]


def test_a_capture_of_announcements_needs_no_profile_of_the_device(tmp_path: Path):
    text = (
        'homeassistant/binary_sensor/d1/smoke/config {"dev_cla":"smoke","stat_t":"d1/smoke","uniq_id":"s"}\n'
        "d1/smoke ON\n"
        "d1/smoke OFF\n"
    )
    events, faults = events_of(tmp_path, text, load_profile(find_profile("generic/home-assistant")))
    assert faults == []
    assert events.count("smoke.state") == 2


def test_a_frame_that_is_cut_off_at_the_end_is_said(tmp_path: Path):
    _, faults = events_of(tmp_path, "53 e5 0a 00 05 48 01 00 16 3e 53 e5 0a 00", stranger("osdp-keypad"))
    assert faults == ["frame: cut off"]


def test_a_line_that_is_neither_is_said_with_its_number(tmp_path: Path):
    path = tmp_path / "c.txt"
    path.write_text("01 03\nhello\n")
    with pytest.raises(CaptureError, match=r"c\.txt:2: neither a capture, hex, nor a topic and its payload: 'hello'"):
        load_capture(path)


ASKED, TOLD = "01 02 00 00 00 04 79 C9", "01 02 01 04 A0 4B"
OTHER = "\n> 02 02 00 00 00 04 79 FA\n< 02 02 01 00 A1 CC\n"
BIT_2 = """\
profile: 1
vendor: A
model: B
family: smoke
source: test
transport: {kind: modbus}
fields: {smoke: {discrete: 2}}
events: [{kind: smoke.state, from: {alarm: smoke}}]
examples: [{name: a, input: {discrete: {2: 1}}, fields: {smoke: true}}, {name: b, input: {}, fails: registers}]
"""


@pytest.mark.parametrize(
    "text",
    [
        f"[12:30:01.123] TX -> {ASKED}\n[12:30:01.140] RX <- {TOLD}\n",
        f"2026-11-26 12:30:01,123 Send: {ASKED}\n2026-11-26T12:30:01.140+08:00 Recv: {TOLD}\n",
        f"12:30:01 发送：{ASKED}\n".replace("：", ": ") + f"12:30:01 接收: {TOLD}\n",
        f"Request {ASKED.replace(' ', '-')}\nResponse {TOLD.replace(' ', '-')}\n",
        "> 2026/11/26 04:30:00.123456  length=8 from=0 to=7\n 01 02 00 00\n 00 04 79 c9\n"
        "< 2026/11/26 04:30:00.143456  length=6 from=0 to=5\n 01 02 01 04 a0 4b\n",
    ],
)
def test_the_dumps_of_usual_tools_are_read(tmp_path: Path, text: str):
    path = tmp_path / "dump.txt"
    path.write_text(text, encoding="utf-8")
    found = replay(load_capture(path), parse_profile(BIT_2, "p.yaml"), example_hasher)
    assert found.faults == []
    assert [event.data.alarm for _, event in found.events if event.kind == "smoke.state"] == [True]


@pytest.mark.parametrize(("address", "alarm"), [("1", True), ("0x02", False), (None, True)])
def test_the_slaves_of_a_line_are_not_mixed(tmp_path: Path, address: str | None, alarm: bool):
    path = tmp_path / "dump.txt"
    path.write_text(f"> {ASKED}\n< {TOLD}{OTHER}")
    found = replay(load_capture(path), parse_profile(BIT_2, "p.yaml"), example_hasher, address)
    assert found.faults == []
    assert [event.data.alarm for _, event in found.events if event.kind == "smoke.state"] == [alarm]


def test_a_time_before_a_topic_is_no_part_of_it(tmp_path: Path):
    text = '2026-11-26T04:30:00+0800 tuya/eb1/status {"status":[{"code":"unlock_card","value":7}]}\n'
    events, faults = events_of(tmp_path, text, stranger("tuya-lock-report"))
    assert (events, faults) == (["device.health", "lock.access"], [])


def test_channels_and_the_devices_own_time_count_in_a_recording_too(tmp_path: Path):
    zones = tmp_path / "zones.jsonl"
    zones.write_text("> 01 03 00 00 00 01 84 0A\n< 01 03 02 00 04 B9 87\n")
    found = replay(load_capture(zones), stranger("modbus-zones"), example_hasher)
    assert [event.device for _, event in found.events if event.kind == "smoke.state" and event.data.alarm] == [
        "replay/3"
    ]
