"""The codec: round trips, limits, and errors that say where."""

import zlib
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import ContractError
from wire.events import DoorState, DoorStateData, PeopleCrossing, PeopleCrossingData, SmokeState, SmokeStateData
from wire.messages import (
    MAX_BATCH_BYTES,
    MAX_EVENTS,
    Batch,
    decode_batch,
    decode_event,
    encode_batch,
    encode_event,
    format_instant,
)

AT = datetime(2026, 11, 23, 6, 12, 44, 900_000, tzinfo=UTC)
DOOR = DoorState(observed_at=AT, device="door-302", unit="u-302", data=DoorStateData(open=True))

instants = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
names = st.text(min_size=1, max_size=40)
events = st.one_of(
    st.builds(DoorState, observed_at=instants, device=names, unit=st.none() | names, data=st.builds(DoorStateData, open=st.booleans())),
    st.builds(
        SmokeState,
        observed_at=instants,
        device=names,
        unit=st.none() | names,
        data=st.builds(
            SmokeStateData,
            alarm=st.booleans(),
            test=st.booleans(),
            silenced=st.booleans(),
            temperature_c=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
    ),
    st.builds(
        PeopleCrossing,
        observed_at=instants,
        device=names,
        unit=st.none() | names,
        data=st.builds(
            PeopleCrossingData,
            direction=st.sampled_from(["in", "out"]),
            count=st.integers(1, 1000),
            line=st.text(min_size=1, max_size=20),
            confidence=st.floats(0, 1),
        ),
    ),
)  # fmt: skip


def pack(encoded: list[bytes], *, first_seq: int = 1, compress: bool = False, floor_seq: int | None = 0) -> bytes:
    return encode_batch(
        gateway="gw-1",
        epoch="E1",
        first_seq=first_seq,
        floor_seq=floor_seq,
        sent_at=AT,
        clock="synced",
        events=encoded,
        compress=compress,
    )


@given(st.lists(events, min_size=1, max_size=20), st.integers(1, 2**62), st.booleans())
def test_a_batch_comes_back_as_it_went(sent: list[DoorState], first_seq: int, compress: bool) -> None:
    batch = decode_batch(pack([encode_event(event) for event in sent], first_seq=first_seq, compress=compress))
    assert (batch.gateway, batch.epoch, batch.first_seq, batch.sent_at) == ("gw-1", "E1", first_seq, AT)
    assert [decode_event(raw) for raw in batch.events] == sent


def test_instants_are_written_in_utc_with_milliseconds() -> None:
    local = AT.astimezone(timezone(timedelta(hours=8)))
    assert format_instant(local) == "2026-11-23T06:12:44.900Z"
    assert b'"observed_at":"2026-11-23T06:12:44.900Z"' in encode_event(msgspec.structs.replace(DOOR, observed_at=local))
    with pytest.raises(ValueError, match="no time zone"):
        format_instant(datetime(2026, 1, 1))


@given(st.binary(max_size=400))
def test_no_bytes_make_anything_but_a_contract_error(payload: bytes) -> None:
    for attempt in (payload, zlib.compress(payload)):
        try:
            assert isinstance(decode_batch(attempt), Batch)
        except ContractError as error:
            assert error.reason


@given(st.binary(max_size=200))
def test_no_bytes_make_an_event_decoder_raise_anything_else(payload: bytes) -> None:
    try:
        decode_event(payload)
    except ContractError as error:
        assert error.reason


@pytest.mark.parametrize(
    ("payload", "epoch", "seq", "reason"),
    [
        (b"", "", 0, "truncated"),
        (b"\x78\x9c", "", 0, "cut off"),
        (b"\x78\x00\x00", "", 0, "zlib"),
        (b'{"v":1', "", 0, "truncated"),
        (b'{"epoch":"E1","first_seq":4}', "E1", 4, "gateway"),
        (b'{"v":2,"gateway":"gw-1","epoch":"E1","first_seq":4}', "E1", 4, "v"),
        (b"[" * 100_000, "", 0, "decoded"),
        (b'{"gateway":"GW 1","epoch":"E1","first_seq":4,"sent_at":"2026-11-23T06:12:44Z","events":[{}]}', "E1", 4, "gateway"),
        (b'{"gateway":"gw-1","epoch":"E1","first_seq":0,"sent_at":"2026-11-23T06:12:44Z","events":[{}]}', "E1", 0, "first_seq"),
        (b'{"gateway":"gw-1","epoch":"E1","first_seq":1,"sent_at":"2026-11-23T06:12:44","events":[{}]}', "E1", 1, "timezone"),
        (b'{"gateway":"gw-1","epoch":"E1","first_seq":1,"sent_at":"2026-11-23T06:12:44Z","events":[]}', "E1", 1, "events"),
    ],
)  # fmt: skip
def test_a_broken_batch_says_what_and_where(payload: bytes, epoch: str, seq: int, reason: str) -> None:
    with pytest.raises(ContractError, match=reason) as caught:
        decode_batch(payload)
    assert (caught.value.epoch, caught.value.seq) == (epoch, seq)


def test_a_zlib_bomb_is_refused_without_unpacking_it() -> None:
    with pytest.raises(ContractError, match="unpacks to more"):
        decode_batch(zlib.compress(b" " * 50_000_000))


def test_limits_of_a_batch_hold_on_both_sides() -> None:
    one = encode_event(DOOR)
    assert len(decode_batch(pack([one] * MAX_EVENTS)).events) == MAX_EVENTS
    with pytest.raises(ContractError, match="500 events"):
        pack([one] * (MAX_EVENTS + 1))
    with pytest.raises(ContractError, match="over 262144"):
        pack([one[:-1] + b" " * MAX_BATCH_BYTES + b"}"])
    with pytest.raises(ContractError, match="over 262144"):
        decode_batch(b'{"v":1,' + b" " * MAX_BATCH_BYTES)
    with pytest.raises(ContractError, match="2\\^63"):
        decode_batch(pack([one, one], first_seq=2**63 - 1))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b'{"kind":"door.state","device":"d","observed_at":"2026-11-23T06:12:44.900Z"}', "data"),
        (b'{"kind":"door.state","device":"d","observed_at":"2026-11-23T06:12:44.900Z","data":{"open":"yes"}}', "bool"),
        (b'{"kind":"door.state","device":"","observed_at":"2026-11-23T06:12:44.900Z","data":{"open":true}}', "device"),
        (b'{"kind":"door.state","device":"d","observed_at":"2026-11-23T06:12:44.900","data":{"open":true}}', "timezone"),
        (b'{"kind":"new.kind","device":"d","observed_at":"yesterday","data":{}}', "RFC3339"),
        (b'{"device":"d","observed_at":"2026-11-23T06:12:44.900Z","data":{}}', "kind"),
        (b'{"kind":"people.crossing","device":"d","observed_at":"2026-11-23T06:12:44Z","data":{"direction":"in","count":0,"line":"l","confidence":1}}', "count"),
        (b'{"kind":"lock.access","device":"d","observed_at":"2026-11-23T06:12:44Z","data":{"result":"granted","credential":{"type":"card","ref":"12345678"}}}', "ref"),
        (b"[1]", "object"),
    ],
)  # fmt: skip
def test_a_broken_event_says_what(event: bytes, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        decode_event(event)
