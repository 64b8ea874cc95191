"""Every message that any release has sent is still read."""

import json
from pathlib import Path

import pytest

from wire.events import EVENT_TYPES, UnknownEvent
from wire.messages import Ack, Command, Reply, Status, decode, decode_batch, decode_event, encode, encode_event

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
SMALL = {"ack": Ack, "status": Status, "command": Command, "reply": Reply}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.batch.json")), ids=lambda path: path.name)
def test_a_golden_batch_decodes_into_all_its_events(path: Path) -> None:
    payload = path.read_bytes()
    batch = decode_batch(payload)
    wanted = json.loads(payload)["events"]
    events = [decode_event(raw) for raw in batch.events]
    assert [event.kind for event in events] == [event["kind"] for event in wanted]
    for event, source in zip(events, wanted, strict=True):
        assert isinstance(event, UnknownEvent) == (source["kind"] not in EVENT_TYPES)
        assert decode_event(encode_event(event)) == event or isinstance(event, UnknownEvent)


def test_the_golden_batches_show_every_kind() -> None:
    batches = [decode_batch(path.read_bytes()) for path in GOLDEN.glob("*.batch.json")]
    assert {decode_event(raw).kind for batch in batches for raw in batch.events} >= set(EVENT_TYPES)


def test_a_fully_filled_event_is_written_as_the_golden_file_has_it() -> None:
    batch = decode_batch((GOLDEN / "every-kind.batch.json").read_bytes())
    for raw in batch.events:
        written = json.loads(encode_event(decode_event(raw)))
        source = json.loads(bytes(raw))
        assert written["observed_at"] == source["observed_at"]
        assert written["data"].items() <= source["data"].items()


@pytest.mark.parametrize("name", sorted(SMALL))
def test_golden_small_messages_decode_and_come_back(name: str) -> None:
    paths = sorted(GOLDEN.glob(f"*.{name}.json"))
    assert paths
    for path in paths:
        message = decode(path.read_bytes(), SMALL[name])
        assert decode(encode(message), SMALL[name]) == message
