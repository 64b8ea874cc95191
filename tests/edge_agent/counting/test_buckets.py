from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.counting.buckets import Buckets

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(second):
    return NOON + timedelta(seconds=second)


@given(st.lists(st.tuples(st.floats(0, 600), st.sampled_from(["in", "out"])), max_size=40), st.sampled_from([60, 300]))
def test_nothing_is_lost_or_counted_twice_and_no_bucket_is_shorter(walks, length):
    buckets, told = Buckets(length), []
    waiting = sorted(walks)
    for second in range(0, 1300):
        while waiting and waiting[0][0] <= second:
            buckets.crossed(waiting.pop(0)[1], 0.9)
        if (done := buckets.finished(at(second))) is not None:
            told.append(done)

    for side in ("in", "out"):
        assert sum(one.count for b in told for one in b.crossings if one.direction == side) == sum(
            side == direction for _, direction in walks
        )
    assert all(b.end.timestamp() % length == 0 for b in told)
    assert all((b.end - a.end).total_seconds() >= length for a, b in pairwise(told))


def test_people_present_is_told_when_it_changes_and_once_in_a_while():
    buckets, told = Buckets(60), []
    for second in range(0, 3600):
        buckets.present(2 if 600 <= second < 1200 else 0, 0.9)
        if (done := buckets.finished(at(second))) is not None and done.present is not None:
            told.append(((done.end - NOON).total_seconds() // 60, done.present))

    assert [present for _, present in told][:3] == [0, 2, 0]
    assert len(told) <= 6


def test_what_has_gathered_comes_out_at_the_end():
    buckets = Buckets(60)
    buckets.finished(at(0))
    buckets.crossed("in", 0.8)

    assert buckets.flush(at(10)).crossings[0].count == 1
