"""Kinds, lanes, and what must not stand in them."""

import json
from datetime import UTC, datetime

from wire.events import (
    EVENT_TYPES,
    DeviceHealth,
    DeviceHealthData,
    DoorState,
    DoorStateData,
    HelpCall,
    HelpCallData,
    Lane,
    PeoplePresent,
    PeoplePresentData,
    lane_of,
)
from wire.json_schema import main, schemas

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_checked_in_schemas_are_current() -> None:
    assert main(["--check"]) == 0


def test_no_kind_can_carry_an_image_or_any_other_blob() -> None:
    """Privacy P1: frames never leave the gateway."""
    text = json.dumps(schemas())
    for word in ("base64", "binary", "image", "jpeg", "frame", "contentEncoding"):
        assert word not in text.lower(), word


def test_counts_carry_no_identity_of_a_person() -> None:
    """Privacy P3: no track ids."""
    for kind in ("people.crossing", "people.present"):
        fields = set(EVENT_TYPES[kind].__annotations__["data"].__struct_fields__)
        assert not fields & {"track", "track_id", "person", "person_id", "id", "embedding"}


def test_alarms_overtake_telemetry() -> None:
    door = DoorState(observed_at=AT, device="d", data=DoorStateData(open=True))
    present = PeoplePresent(observed_at=AT, device="c", data=PeoplePresentData(count=1, confidence=1, window_s=60))
    battery = DeviceHealth(observed_at=AT, device="d", data=DeviceHealthData(battery_pct=50))
    call = HelpCall(observed_at=AT, device="b", data=HelpCallData())
    tamper = DeviceHealth(observed_at=AT, device="d", data=DeviceHealthData(tamper=True))
    assert [lane_of(event) for event in (door, call, present, battery, tamper)] == [
        Lane.URGENT,
        Lane.URGENT,
        Lane.ROUTINE,
        Lane.ROUTINE,
        Lane.URGENT,
    ]
