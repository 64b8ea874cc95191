"""Counts get coarser, openings lose their credential, and nothing else of an event changes."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.retention.events import DAY, QUARTER, bucket_of, merged, without_credential
from wire.events import (
    Credential,
    LockAccess,
    LockAccessData,
    PeopleCrossing,
    PeopleCrossingData,
    PeoplePresent,
    PeoplePresentData,
)
from wire.messages import decode_event, encode_event

AT = datetime(2026, 11, 2, 4, 7, 31, tzinfo=UTC)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def crossing(count: int, confidence: float = 0.9) -> PeopleCrossing:
    data = PeopleCrossingData(direction="in", count=count, line="door", confidence=confidence)
    return PeopleCrossing(observed_at=AT, device="cam", unit="B1-1", data=data)


@given(at=instants)
def test_a_window_holds_the_instant_and_windows_do_not_overlap(at: datetime) -> None:
    for window in (QUARTER, DAY):
        begin = bucket_of(at, window)
        assert begin <= at < begin + window
        assert bucket_of(begin, window) == begin


def test_a_day_begins_at_midnight_in_china() -> None:
    assert bucket_of(datetime(2026, 11, 2, 15, 59, tzinfo=UTC), DAY) == datetime(2026, 11, 1, 16, 0, tzinfo=UTC)
    assert bucket_of(datetime(2026, 11, 2, 16, 0, tzinfo=UTC), DAY) == datetime(2026, 11, 2, 16, 0, tzinfo=UTC)


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_merged_crossings_add_up_and_are_still_events_of_the_contract(counts: list[int]) -> None:
    begin = bucket_of(AT, QUARTER)
    one = merged([crossing(count) for count in counts], begin, QUARTER)
    again = decode_event(encode_event(one))
    assert isinstance(again, PeopleCrossing)
    assert (again.data.count, again.data.window_s, again.observed_at) == (sum(counts), 900.0, begin)
    assert (again.device, again.unit, again.data.line, again.data.direction) == ("cam", "B1-1", "door", "in")


def test_of_people_present_the_most_is_kept() -> None:
    seen = [
        PeoplePresent(observed_at=AT, device="cam", data=PeoplePresentData(count=count, confidence=sure, window_s=60.0))
        for count, sure in ((2, 0.9), (5, 0.7), (1, 0.8))
    ]
    one = merged(seen, AT, DAY)
    assert (one.data.count, one.data.confidence, one.data.window_s) == (5, 0.7, 86400.0)


def test_an_opening_without_its_credential_is_still_that_opening() -> None:
    card = Credential(type="card", ref=f"hmac:{'a' * 64}", slot=3)
    event = LockAccess(
        observed_at=AT, device="lock", unit="B1-1", data=LockAccessData(result="granted", credential=card)
    )
    body = without_credential(encode_event(event).decode())
    assert "hmac" not in body
    assert "slot" not in body
    plain = msgspec.structs.replace(event.data, credential=Credential(type="card"))
    assert decode_event(body.encode()) == msgspec.structs.replace(event, data=plain)


def test_an_opening_that_this_release_cannot_read_keeps_nothing_that_names_anybody() -> None:
    body = without_credential('{"kind":"lock.access","device":"l","data":{"result":"odd","who":{"ref":"hmac:12"}}}')
    assert "hmac" not in body
    assert '"result":"odd"' in body
