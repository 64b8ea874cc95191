"""Every capture comes to the events that stand beside it; what is recorded holds no secret and replays to the same."""

import json
from pathlib import Path

import pytest

from edge_agent.captures import CaptureError, Line, Recorder, load_capture, replay
from edge_agent.profile_examples import example_hasher
from edge_agent.protocols import osdp
from firmware_profiles.loader import find_profile, load_profile
from wire.messages import encode_event

CAPTURES = Path(__file__).parents[1] / "captures"
FILES = sorted(path for path in CAPTURES.rglob("*.jsonl") if not path.name.endswith(".events.jsonl"))


def played(path: Path) -> tuple[list[dict[str, object]], list[str]]:
    capture = load_capture(path)
    found = replay(capture, load_profile(find_profile(str(capture.header.profile))), example_hasher)
    return [json.loads(encode_event(event)) for _, event in found.events], [fault for _, fault in found.faults]


def test_there_are_captures():
    assert len(FILES) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CAPTURES)))
def test_a_capture_comes_to_the_events_beside_it(path: Path):
    events, faults = played(path)
    wanted = [json.loads(line) for line in path.with_suffix(".events.jsonl").read_text().splitlines()]
    assert faults == []
    assert events == wanted


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CAPTURES)))
def test_a_capture_names_its_source(path: Path):
    assert len(load_capture(path).header.source) > 10


def test_a_recording_of_a_reader_keeps_no_card_no_pin_and_no_noise():
    recorder = Recorder("osdp", {})
    for line in load_capture(CAPTURES / "libosdp/peripheral-device/1_3.2.9.jsonl").lines:
        recorder.take_bytes(line.t, line.dir, bytes.fromhex(line.hex or ""))
    recorder.take_bytes(9.0, "<", b"8cb2c140 half a frame")
    text = "\n".join(recorder.rows)
    assert "8cb2c140" not in text
    assert b"12345".hex() not in text
    kept = [frame for row in recorder.rows for frame in osdp.Framer().feed(bytes.fromhex(json.loads(row)["hex"]))]
    assert [frame.name for frame in kept if isinstance(frame, osdp.Frame)] == [
        "ID", "PDID", "POLL", "ACK", "RAW", "KEYPAD", "LSTATR", "LSTATR",
    ]  # fmt: skip


def test_a_recording_of_a_broker_keeps_no_pin_and_no_address():
    recorder = Recorder("mqtt", {"0x000d6f0010fa0510": "lock-1"})
    payload = {"pin_code": "1234", "users": {"1": {"pin_code": 5555}}, "ieee": "0x000d6f0010fa0510", "state": "LOCK"}
    recorder.take_message(0.0, "zigbee2mqtt/0x000d6f0010fa0510", json.dumps(payload).encode())
    [row] = [json.loads(row) for row in recorder.rows]
    assert row == {
        "t": 0.0,
        "topic": "zigbee2mqtt/lock-1",
        "json": {"users": {"1": {}}, "ieee": "lock-1", "state": "LOCK"},
    }


def test_an_answer_that_came_in_pieces_is_recorded_whole():
    recorder = Recorder("modbus", {})
    recorder.take_bytes(0.0, ">", bytes.fromhex("FF02000000086C12"))
    for size in (2, 4, 6):
        recorder.take_bytes(0.1, "<", bytes.fromhex("FF02010151A0")[:size])
    assert [json.loads(row)["hex"] for row in recorder.rows] == ["ff02000000086c12", "ff02010151a0"]


def test_a_transmitters_address_is_renamed_and_the_frame_stays_whole():
    source = load_capture(CAPTURES / "actorlancer/gb26875-notes/1_1.jsonl")
    recorder = Recorder("gb26875", {})
    for line in source.lines:
        recorder.take_bytes(line.t, line.dir, bytes.fromhex(line.hex or ""))
    assert len(recorder.rows) == len(source.lines)
    assert "790300000000" not in "".join(recorder.rows)
    profile = load_profile(find_profile("generic/gb26875-transmitter"))
    again = replay(
        type(source)(source.header, [Line(**json.loads(row)) for row in recorder.rows]), profile, example_hasher
    )
    first = replay(source, profile, example_hasher)
    assert [event for _, event in again.events] == [event for _, event in first.events]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "1: empty"), ("{}", ":1:"), ('{"capture":1,"kind":"x","source":"s"}\n{"t":0,"hex":"zz"}', ":2:")],
)
def test_a_capture_that_is_none_is_refused_with_its_line(tmp_path: Path, text: str, reason: str):
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(CaptureError, match=reason):
        load_capture(path)
