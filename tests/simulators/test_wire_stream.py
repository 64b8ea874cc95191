"""The stream of a simulated gateway, against a network that loses, doubles and reorders."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from simulators.wire_stream import WireStream
from wire.messages import Ack

EPOCH = "01JD9ZK3W6K6Q2V7R7M3J0X9AB"


def _stream(**options: int | float) -> WireStream:
    return WireStream(EPOCH, **options)  # type: ignore[arg-type]  # the keywords are the dataclass's own


@given(
    count=st.integers(1, 300),
    batch=st.integers(1, 40),
    windows=st.integers(1, 5),
    loss=st.floats(0, 0.6),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_event_arrives_once_and_in_order_over_a_network_that_loses_and_doubles(
    count: int, batch: int, windows: int, loss: float, seed: int
) -> None:
    dice = random.Random(seed)
    stream = _stream(batch=batch, window=batch * windows, retry_s=5.0)
    for number in range(1, count + 1):
        stream.add(str(number).encode())
    stored: dict[int, bytes] = {}
    now_s = 0.0
    for _ in range(2000):
        under_way = stream.due(now_s)
        assert sum(len(due.events) for due in under_way) <= batch * windows
        dice.shuffle(under_way)
        for due in under_way:
            for _copy in range(dice.choice((1, 2))):
                if dice.random() < loss:
                    continue
                for offset, body in enumerate(due.events):
                    assert stored.setdefault(due.first_seq + offset, body) == body
        contiguous = next((seq for seq in range(1, count + 2) if seq not in stored), count + 1) - 1
        if dice.random() >= loss:
            stream.on_ack(Ack(epoch=EPOCH, seq=contiguous), now_s)
        if stream.depth == 0:
            break
        now_s += 20.0
    assert stream.depth == 0
    assert stream.acknowledged == stream.sent == stream.numbered == count
    assert stored == {number: str(number).encode() for number in range(1, count + 1)}
    assert stream.faults == []


def test_nothing_is_sent_twice_before_its_time() -> None:
    stream = _stream(batch=10, window=20, retry_s=5.0)
    for number in range(30):
        stream.add(b"%d" % number)
    assert [(due.first_seq, len(due.events)) for due in stream.due(0.0)] == [(1, 10), (11, 10)]
    assert stream.due(4.9) == []
    again = stream.due(5.0)
    assert [due.first_seq for due in again] == [1, 11]
    assert all(due.is_repeat for due in again)
    assert stream.due(5.1) == []


def test_an_acknowledgement_opens_the_window_and_says_how_long_each_event_took() -> None:
    stream = _stream(batch=2, window=2)
    for body in (b"1", b"2", b"3"):
        stream.add(body)
    stream.due(1.0)
    assert stream.on_ack(Ack(epoch=EPOCH, seq=2), 1.5) == [0.5, 0.5]
    assert [(due.first_seq, due.is_repeat) for due in stream.due(1.5)] == [(3, False)]


def test_an_acknowledgement_of_what_was_never_sent_is_a_fault_and_frees_nothing() -> None:
    stream = _stream()
    stream.add(b"1")
    stream.due(0.0)
    assert stream.on_ack(Ack(epoch=EPOCH, seq=2), 0.1) == []
    assert stream.depth == 1
    assert "2 acknowledged, but only 1 were sent" in stream.faults[0]


def test_a_rejection_is_a_fault_and_another_epoch_is_not() -> None:
    stream = _stream()
    stream.add(b"1")
    stream.due(0.0)
    stream.on_ack(Ack(epoch="other", seq=1), 0.1)
    assert stream.faults == []
    assert stream.depth == 1
    stream.on_ack(Ack(epoch=EPOCH, seq=1, error="unreadable"), 0.1)
    assert "rejected: unreadable" in stream.faults[0]


def test_each_wait_for_an_acknowledgement_is_twice_the_one_before_up_to_a_minute() -> None:
    stream = _stream(retry_s=5.0, spread=1.0)
    stream.add(b"1")
    sent_s = [at for at in range(600) if stream.due(float(at))]
    waits = [later - earlier for earlier, later in itertools.pairwise(sent_s)]
    assert waits == [8, 15, 30, 60, 90, 90, 90, 90, 90]
    stream.on_ack(Ack(epoch=EPOCH, seq=1), 600.0)
    stream.add(b"2")
    assert [due.first_seq for due in stream.due(601.0)] == [2]
    assert stream.due(608.0) == []
    assert [due.first_seq for due in stream.due(609.0)] == [2]
