"""The rows of the check: each promise is kept by what keeps it, and broken by each way of breaking it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulators.cameras.clips import Clip, TrueCrossing
from simulators.demo.cameras import counting_row
from simulators.demo.matching import DeviceResult
from simulators.demo.tap import Tap, content_of
from simulators.demo.verdict import alert_rows, continuity_row, device_rows, rejected_row, wire_row
from simulators.hub_api import AlertDetail, Bilingual, Epoch, Evidence, StoredEvent
from simulators.scenario import ExpectedAlert, Title
from wire.events import DoorState, DoorStateData
from wire.messages import encode_batch, encode_event
from wire.topics import Leaf, topic

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
GATEWAY = "gw-demo-0001"


def _event(seq: int, *, kind: str = "door.state", device: str = "door-1", **data: Any) -> StoredEvent:
    return StoredEvent(
        id=seq, gateway=GATEWAY, epoch="e1", seq=seq, observed_at=T0, received_at=T0, kind=kind, device=device,
        data=data or {"open": True},
    )  # fmt: skip


def _sent(*events: StoredEvent) -> dict[tuple[str, str, int], str]:
    return {
        (event.gateway, event.epoch, event.seq): content_of(
            event.observed_at, event.kind, event.device, event.unit, event.data
        )
        for event in events
    }


def test_what_was_sent_and_is_stored_once_as_it_was_keeps_the_promise() -> None:
    assert wire_row(GATEWAY, _sent(_event(1), _event(2)), [_event(1), _event(2)]).is_kept


@pytest.mark.parametrize(
    ("stored", "fault"),
    [
        ([_event(1)], "e1 2: sent and not stored"),
        ([_event(1), _event(2), _event(3)], "e1 3: stored and never sent"),
        ([_event(1), _event(2), _event(2)], "e1 2: stored 2 times"),
        ([_event(1), _event(2, open=False)], "e1 2: sent as"),
    ],
)
def test_every_difference_between_the_wire_and_the_store_is_named(stored: list[StoredEvent], fault: str) -> None:
    row = wire_row(GATEWAY, _sent(_event(1), _event(2)), stored)
    assert not row.is_kept
    assert fault in row.faults[0]


def test_a_gateway_that_sent_nothing_proves_nothing() -> None:
    assert not wire_row(GATEWAY, {}, []).is_kept


@pytest.mark.parametrize(
    "epoch",
    [
        Epoch(epoch="e1", contiguous_seq=1, holes=[(2, 2)], stored=2),
        Epoch(epoch="e1", contiguous_seq=1, holes=[], stored=2),
        Epoch(epoch="e1", contiguous_seq=3, holes=[], stored=3),
    ],
)
def test_a_hole_or_a_wrong_number_breaks_continuity(epoch: Epoch) -> None:
    assert not continuity_row(GATEWAY, [epoch], [_event(1), _event(2)]).is_kept


def test_streams_without_holes_are_continuous_and_no_stream_is_not() -> None:
    whole = Epoch(epoch="e1", contiguous_seq=2, holes=[], stored=2)
    assert continuity_row(GATEWAY, [whole], [_event(1), _event(2)]).is_kept
    assert not continuity_row(GATEWAY, [], []).is_kept


def test_a_rejected_batch_breaks_the_promise() -> None:
    assert rejected_row(0).is_kept
    assert not rejected_row(1).is_kept


def test_the_sum_over_devices_breaks_with_any_of_them() -> None:
    good, bad = (
        DeviceResult("a", expected=2, stored=2),
        DeviceResult("b", expected=1, stored=2, faults=["one too many"]),
    )
    assert [row.is_kept for row in device_rows([good])] == [True, True]
    assert [row.is_kept for row in device_rows([good, bad])] == [True, False, False]


def _alert(number: int = 1, *, rule: str = "L1", unit: str | None = "u-201", **changes: Any) -> AlertDetail:
    words = Bilingual(zh="烟", en="smoke")
    values: dict[str, Any] = {
        "id": number, "rule": rule, "severity": "P0", "title": words, "subject": f"unit:{unit}", "unit": unit,
        "opened_at": T0, "is_active": True, "explanation": words,
        "evidence": [Evidence(kind="event", note=words, event_id=1)],
    }  # fmt: skip
    return AlertDetail(**(values | changes))


EXPECTED = [ExpectedAlert(rule="L1", unit="u-201", because=Title(zh="烟", en="smoke"))]


def _kept(found: list[AlertDetail]) -> bool:
    return all(row.is_kept for row in alert_rows(EXPECTED, found, [_event(1)]))


def test_the_expected_alert_once_keeps_the_promise() -> None:
    assert _kept([_alert()])


@pytest.mark.parametrize(
    "found",
    [
        [],
        [_alert(1), _alert(2)],
        [_alert(unit="u-202")],
        [_alert(rule="S1")],
        [_alert(), _alert(2, rule="T1", unit=None)],
        [_alert(evidence=[])],
        [_alert(evidence=[Evidence(kind="event", note=Bilingual(zh="", en=""), event_id=99)])],
        [_alert(explanation=Bilingual(zh=" ", en="smoke"))],
    ],
)
def test_an_alert_that_is_missing_doubled_wrong_unasked_for_or_unfounded_breaks_it(found: list[AlertDetail]) -> None:
    assert not _kept(found)


def _clip(ins: int, outs: int) -> Clip:
    crossings = tuple(TrueCrossing(n, "in") for n in range(ins)) + tuple(TrueCrossing(n, "out") for n in range(outs))
    return Clip(Path("clip.mp4"), 100, 100, 10.0, 100, (0, 0, 1, 1), "right", crossings)


def _crossing(direction: str, count: int) -> StoredEvent:
    return _event(1, kind="people.crossing", device="camera", direction=direction, count=count)


@pytest.mark.parametrize(
    ("ins", "outs", "is_kept"), [(13, 8, True), (11, 10, True), (10, 8, False), (13, 11, False), (0, 0, False)]
)
def test_people_counted_are_held_against_the_truth_in_each_direction(ins: int, outs: int, is_kept: bool) -> None:
    events = [_crossing("in", ins - 1), _crossing("in", 1), _crossing("out", outs)] if ins else []
    other = _event(2, kind="people.crossing", device="another", direction="in", count=50)
    assert counting_row(_clip(13, 8), "camera", [*events, other]).is_kept is is_kept


def _batch(first_seq: int, *, is_open: bool) -> bytes:
    event = DoorState(observed_at=T0, device="door-1", data=DoorStateData(open=is_open))
    return encode_batch(
        gateway=GATEWAY, epoch="e1", first_seq=first_seq, floor_seq=None, sent_at=T0, clock="synced",
        events=[encode_event(event)],
    )  # fmt: skip


def test_the_tap_keeps_a_repeated_event_once_and_tells_when_it_changed() -> None:
    tap = Tap()
    name = topic(GATEWAY, Leaf.EVENT)
    for payload in (_batch(1, is_open=True), _batch(1, is_open=True), _batch(2, is_open=True)):
        tap.take(name, payload)
    assert wire_row(GATEWAY, tap.sent, [_event(1), _event(2)]).is_kept
    assert tap.faults == []
    tap.take(name, _batch(2, is_open=False))
    assert "two contents" in tap.faults[0]
    tap.take(name, b"noise")
    assert len(tap.faults) == 2
