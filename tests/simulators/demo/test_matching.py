"""The comparison of what devices did with what is stored finds every way in which the two can differ."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulators.demo.ground_truth import STARTED, Entry
from simulators.demo.matching import DeviceResult, match
from simulators.hub_api import StoredEvent
from simulators.scenario import Scenario
from simulators.scenario_file import parse_scenario
from wire.ids import canonical_card, credential_ref

KEY = bytes(range(32))
T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CARD = "25,25986"
REF = credential_ref(KEY, "card", canonical_card(CARD))


def _scenario() -> Scenario:
    return parse_scenario(
        f"""\
scenario: 1
title: {{zh: 试, en: Test}}
lasts_s: 100
gateway: gw-demo-0001
building: 990000-0001-1
registry: seed.yaml
devices:
  - {{is_a: osdp_reader, id: reader-101, address: 1, profile: generic/osdp-reader}}
  - is_a: modbus_smoke
    id: smoke-201
    address: 2
    profile: calectro/ug-3-o-mb-r
    begins: [{{kind: smoke.state, data: {{alarm: false}}}}]
steps:
  - at_s: 1
    device: reader-101
    do: present_card
    card: "{CARD}"
    says: {{zh: 刷卡, en: card}}
    becomes: [{{kind: lock.access, data: {{result: granted, credential: {{type: card}}}}, within_s: 5}}]
  - at_s: 2
    device: smoke-201
    do: set_smoke
    on: true
    says: {{zh: 烟, en: smoke}}
    becomes: [{{kind: smoke.state, data: {{alarm: true}}}}]
alerts: []
""",
        "test.yaml",
    )


def _entries() -> list[Entry]:
    return [
        Entry(at=T0, device="smoke-201", step=STARTED, what="started"),
        Entry(at=T0 + timedelta(seconds=1), device="reader-101", step=0, what="present_card"),
        Entry(at=T0 + timedelta(seconds=2), device="smoke-201", step=1, what="set_smoke"),
    ]


def _event(device: str, kind: str, at_s: float, *, seq: int = 1, epoch: str = "urgent", **data: Any) -> StoredEvent:
    at = T0 + timedelta(seconds=at_s)
    return StoredEvent(
        id=seq, gateway="gw", epoch=epoch, seq=seq, observed_at=at, received_at=at, kind=kind, device=device, data=data
    )


def _good() -> list[StoredEvent]:
    return [
        _event("smoke-201", "smoke.state", 0.4, alarm=False, test=False),
        _event("reader-101", "lock.access", 1.2, result="granted", credential={"type": "card", "ref": REF}),
        _event("smoke-201", "smoke.state", 2.4, alarm=True),
    ]


def _faults(stored: list[StoredEvent], entries: list[Entry] | None = None) -> list[str]:
    results = match(_scenario(), _entries() if entries is None else entries, stored, KEY)
    return [f"{result.device}: {fault}" for result in results for fault in result.faults]


def test_what_agrees_has_no_faults_and_is_counted() -> None:
    assert match(_scenario(), _entries(), _good(), KEY) == [
        DeviceResult("reader-101", done=1, expected=1, stored=1),
        DeviceResult("smoke-201", done=1, expected=2, stored=2),
    ]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_event_that_is_missing_is_named(index: int) -> None:
    stored = _good()
    missing = stored.pop(index)
    assert any(missing.device in fault for fault in _faults(stored))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_event_that_is_doubled_is_named(index: int) -> None:
    stored = _good()
    stored.insert(index, stored[index])
    assert any(stored[index].device in fault for fault in _faults(stored))


def test_two_events_in_the_wrong_order_are_named() -> None:
    stored = _good()
    stored[0] = _event("smoke-201", "smoke.state", 0.4, alarm=True)
    stored[2] = _event("smoke-201", "smoke.state", 2.4, alarm=False)
    assert "smoke-201: smoke-201 came up: smoke.state has alarm True instead of False" in _faults(stored)


def test_a_lane_that_numbers_events_out_of_their_order_is_named() -> None:
    stored = _good()
    stored[0] = _event("smoke-201", "smoke.state", 0.4, seq=2, alarm=False)
    assert _faults(stored) == ["smoke-201: smoke.state is numbered 2, after what came later"]


def test_events_of_two_lanes_are_put_in_order_by_their_instants() -> None:
    stored = _good()
    stored[2] = _event("smoke-201", "smoke.state", 2.4, epoch="routine", alarm=True)
    assert _faults(stored[::-1]) == []


def test_another_card_is_not_the_card_that_was_presented() -> None:
    stored = _good()
    stored[1] = _event(
        "reader-101", "lock.access", 1.2, result="granted", credential={"type": "card", "ref": "hmac:0000"}
    )
    assert "credential.ref 'hmac:0000' instead of" in _faults(stored)[0]


@pytest.mark.parametrize("at_s", [0.8, 7.0])
def test_an_event_before_its_cause_or_long_after_it_is_named(at_s: float) -> None:
    stored = _good()
    stored[1] = _event("reader-101", "lock.access", at_s, result="granted", credential={"type": "card", "ref": REF})
    assert "after it happened" in _faults(stored)[0]


def test_a_standing_state_said_again_after_a_minute_is_a_repeat_and_not_a_fault() -> None:
    stored = [*_good(), _event("smoke-201", "smoke.state", 62.4, alarm=True)]
    results = match(_scenario(), _entries(), stored, KEY)
    assert results[1] == DeviceResult("smoke-201", done=1, expected=2, stored=2, repeats=1)


def test_what_a_device_tells_of_its_make_is_no_state_and_no_fault() -> None:
    told = _event("smoke-201", "device.health", 3.0, firmware="1.4.0")
    results = match(_scenario(), _entries(), [*_good(), told], KEY)
    assert results[1] == DeviceResult("smoke-201", done=1, expected=2, stored=2, repeats=1)
    state = _event("smoke-201", "device.health", 3.0, firmware="1.4.0", tamper=True)
    assert "nothing caused it" in _faults([*_good(), state])[0]


def test_a_card_read_again_after_a_minute_is_a_fault() -> None:
    again = _event("reader-101", "lock.access", 90, result="granted", credential={"type": "card", "ref": REF})
    assert "nothing caused it" in _faults([*_good(), again])[0]


def test_events_of_a_device_that_nobody_knows_are_faults() -> None:
    assert "stranger: door.state {'open': True} is stored, and nothing caused it" in _faults(
        [*_good(), _event("stranger", "door.state", 3, open=True)]
    )


def test_a_step_that_was_never_done_is_a_fault_even_if_nothing_is_missing() -> None:
    assert _faults(_good()[:2], _entries()[:2]) == ["smoke-201: was never done: smoke"]
