"""Each event once, whatever is sent again and in which order; what is answered; what is kept of broken messages."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select
from support.ingest import BROKEN_EVENT, SENT, Recorder, batch, event, intake, payload, span, stored

from hub.ingest.reading import read_batch
from hub.ingest.rejects import KEEP_PER_GATEWAY
from hub.ingest.transaction import Answer
from hub.store.continuity import continuity
from hub.store.database import Database
from hub.store.migrate import open_database
from hub.store.tables.changes import ChangeRow
from hub.store.tables.ingest import EventRow, Gateway, RejectedBatch, UnfoldedEvent
from wire.clock import FakeClock
from wire.messages import Ack

_names = (f"gw-{n:05d}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(Path(tmp_path_factory.mktemp("hub")), None)
    yield opened
    opened.close()


@pytest.fixture
def gateway() -> str:
    return next(_names)


def acks(answers: list[Answer]) -> list[Ack]:
    return [answer.ack for answer in answers]


def test_a_batch_is_stored_folded_and_acknowledged(database: Database, gateway: str) -> None:
    folder = Recorder()
    outcome = intake(database, folder=folder).take([span(gateway, 1, 3)])
    assert stored(database, gateway) == [("E", 1, 1), ("E", 2, 2), ("E", 3, 3)]
    assert [(e.gateway_id, e.epoch, e.seq) for e in folder.folded] == [(gateway, "E", n) for n in (1, 2, 3)]
    assert outcome.answers == [Answer(gateway, Ack(epoch="E", seq=3))]
    with database.read() as session:
        ids = session.exec(select(EventRow.id).where(EventRow.id.in_([e.id for e in folder.folded]))).all()  # type: ignore[union-attr]  # a column
    assert len(ids) == 3


def test_the_same_batch_again_is_acknowledged_again_and_neither_stored_nor_folded_again(
    database: Database, gateway: str
) -> None:
    folder = Recorder()
    taker = intake(database, folder=folder)
    taker.take([span(gateway, 1, 3)])
    outcome = taker.take([span(gateway, 1, 3), span(gateway, 2, 3)])
    assert outcome.answers == [Answer(gateway, Ack(epoch="E", seq=3))]
    assert len(stored(database, gateway)) == len(folder.folded) == 3


def test_an_event_that_comes_after_a_higher_number_is_told_to_be_late(database: Database, gateway: str) -> None:
    folder = Recorder()
    taker = intake(database, folder=folder)
    taker.take([span(gateway, 1, 2)])
    taker.take([span(gateway, 5, 6)])
    taker.take([span(gateway, 3, 7)])
    assert [(item.seq, item.is_late) for item in folder.folded] == [
        (1, False), (2, False), (5, False), (6, False), (3, True), (4, True), (7, False)
    ]  # fmt: skip


def test_batches_that_come_together_are_folded_in_the_order_of_their_numbers(database: Database, gateway: str) -> None:
    folder = Recorder()
    group = [span(gateway, 7, 9), span(gateway, 1, 3, epoch="F"), span(gateway, 1, 3), span(gateway, 4, 8)]
    intake(database, folder=folder).take(group)
    assert [item.seq for item in folder.folded if item.epoch == "E"] == list(range(1, 10))
    assert not any(item.is_late for item in folder.folded)


def test_two_epochs_of_a_gateway_are_two_streams_with_an_acknowledgement_each(database: Database, gateway: str) -> None:
    outcome = intake(database).take([span(gateway, 1, 2, epoch="A"), span(gateway, 1, 5, epoch="B")])
    assert {(ack.epoch, ack.seq) for ack in acks(outcome.answers)} == {("A", 2), ("B", 5)}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_splitting_order_and_repetition_stores_each_event_once(database: Database, data: st.DataObject) -> None:
    gateway = next(_names)
    last = data.draw(st.integers(1, 40), label="events")
    spans = data.draw(
        st.lists(st.tuples(st.integers(1, last), st.integers(0, 9)), max_size=25).map(
            lambda pairs: [(first, min(last, first + more)) for first, more in pairs]
        ),
        label="batches, overlapping and repeated",
    )
    spans += [(n, min(last, n + 6)) for n in range(1, last + 1, 7)]
    spans = data.draw(st.permutations(spans), label="order")
    groups = data.draw(st.lists(st.integers(1, 6), min_size=len(spans), max_size=len(spans)), label="groups")
    folder = Recorder()
    takers = [intake(database, folder=folder), intake(database, folder=folder)]
    highest_ack = 0
    waiting = list(spans)
    for turn, size in enumerate(groups):
        group, waiting = waiting[:size], waiting[size:]
        if not group:
            break
        for ack in acks(takers[turn % 2].take([span(gateway, *part) for part in group]).answers):
            assert ack.seq >= highest_ack, "an acknowledgement never goes back"
            highest_ack = ack.seq
    rows = stored(database, gateway)
    assert sorted(seq for _, seq, _ in rows) == list(range(1, last + 1))
    assert all(seq == number for _, seq, number in rows)
    assert [event.seq for event in folder.folded] == [seq for _, seq, _ in rows]
    assert highest_ack == last
    with database.read() as session:
        (epoch,) = continuity(session, gateway)
    assert (epoch.contiguous_seq, epoch.holes, epoch.stored) == (last, [], last)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(1, 12)), st.permutations([(1, 4), (3, 9), (8, 12), (1, 12), (6, 6)]))
def test_unreadable_events_are_named_each_time_and_stored_when_they_come_again_whole(
    database: Database, bad: set[int], order: list[tuple[int, int]]
) -> None:
    gateway = next(_names)
    taker = intake(database)
    for first, last in order:
        events = [BROKEN_EVENT if n in bad else event(n) for n in range(first, last + 1)]
        outcome = taker.take([batch(gateway, "E", first, events, floor_seq=0)])
        named = {ack.seq for ack in acks(outcome.answers) if ack.error}
        assert named == {n for n in bad if first <= n <= last}
    assert Ack(epoch="E", seq=12) in acks(taker.take([span(gateway, 1, 1)]).answers) or 1 in bad
    assert {seq for _, seq, _ in stored(database, gateway)} == set(range(1, 13)) - (bad - {1})
    taker.take([span(gateway, 1, 12)])
    assert sorted(seq for _, seq, _ in stored(database, gateway)) == list(range(1, 13))
    with database.read() as session:
        (epoch,) = continuity(session, gateway)
    assert (epoch.rejected, epoch.stored, epoch.ack_seq) == ([], 12, 12)


def test_one_bad_event_is_kept_with_its_batch_and_blocks_nothing(database: Database, gateway: str) -> None:
    bad = batch(gateway, "E", 1, [event(1), BROKEN_EVENT, event(3)], floor_seq=0)
    outcome = intake(database).take([bad, bad, span(gateway, 4, 4)])
    assert [(ack.seq, bool(ack.error)) for ack in acks(outcome.answers)] == [(2, True), (2, True), (4, False)]
    assert [seq for _, seq, _ in stored(database, gateway)] == [1, 3, 4]
    with database.read() as session:
        (kept,) = session.exec(select(RejectedBatch).where(RejectedBatch.gateway_id == gateway)).all()
    assert (kept.epoch, kept.seq) == ("E", 2)
    assert kept.payload == bad.payload
    assert "event 2" in kept.reason


def test_a_message_that_is_no_batch_is_kept_once_counted_and_answered(database: Database, gateway: str) -> None:
    broken = read_batch(f"anfang/v1/{gateway}/event", b'{"v":1,"gateway":"%s"' % gateway.encode())
    taker = intake(database)
    for _ in range(3):
        (answer,) = taker.take([broken]).answers
        assert (answer.ack.epoch, answer.ack.seq) == ("", 0)
        assert answer.ack.error is not None
    with database.read() as session:
        (kept,) = session.exec(select(RejectedBatch).where(RejectedBatch.gateway_id == gateway)).all()
    assert kept.times == 3


def test_a_batch_of_another_gateway_is_refused_and_answered_where_it_was_sent(database: Database, gateway: str) -> None:
    forged = read_batch(f"anfang/v1/{gateway}/event", payload("gw-other", "E", 7, [event(7)]))
    (answer,) = intake(database).take([forged]).answers
    assert (answer.gateway_id, answer.ack.epoch, answer.ack.seq) == (gateway, "E", 0)
    assert "gw-other" in (answer.ack.error or "")
    assert stored(database, "gw-other") == []


def test_what_is_kept_of_a_gateway_that_sends_nothing_but_rubbish_is_bounded(database: Database, gateway: str) -> None:
    taker = intake(database)
    for start in range(0, KEEP_PER_GATEWAY + 40, 20):
        taker.take([read_batch(f"anfang/v1/{gateway}/event", b"rubbish %d" % n) for n in range(start, start + 20)])
    with database.read() as session:
        kept = session.exec(select(RejectedBatch).where(RejectedBatch.gateway_id == gateway)).all()
    assert len(kept) == KEEP_PER_GATEWAY
    assert max(kept, key=lambda row: row.id or 0).payload == b"rubbish %d" % (KEEP_PER_GATEWAY + 39)


def test_an_unknown_gateway_is_taken_in_unadopted_and_pages_hear_of_it(database: Database, gateway: str) -> None:
    intake(database).take([span(gateway, 1, 1)])
    with database.read() as session:
        row = session.get_one(Gateway, gateway)
        told = session.exec(select(ChangeRow).where(ChangeRow.subject == gateway)).all()
    assert row.state == "unadopted"
    assert [(change.kind, change.what) for change in told] == [("gateway", "unadopted")]


def test_a_closed_hub_keeps_and_answers_what_unknown_gateways_send_and_stores_none_of_it(
    database: Database, gateway: str
) -> None:
    closed = intake(database, accept_unknown=False)
    (answer,) = closed.take([span(gateway, 1, 3)]).answers
    assert (answer.ack.seq, "not known" in (answer.ack.error or "")) == (0, True)
    assert stored(database, gateway) == []
    with database.read() as session:
        assert session.get(Gateway, gateway) is None
        (kept,) = session.exec(select(RejectedBatch).where(RejectedBatch.gateway_id == gateway)).all()
    assert "not known" in kept.reason
    with database.write() as session:
        session.add(Gateway(id=gateway, state="active", first_seen_at=SENT, last_seen_at=SENT))
    assert closed.take([span(gateway, 1, 3)]).answers == [Answer(gateway, Ack(epoch="E", seq=3))]


async def test_a_stranger_that_begins_in_the_middle_is_acknowledged_after_the_grace_and_its_hole_stays_visible(
    database: Database, gateway: str
) -> None:
    clock = FakeClock(SENT)
    taker = intake(database, clock=clock)
    outcome = taker.take([span(gateway, 4182, 4182, floor_seq=None)])
    assert outcome.answers == []
    assert outcome.await_floor == {(gateway, "E")}
    await clock.advance(1.0)
    outcome = taker.look_at_floors([(gateway, "E")])
    assert outcome.answers == [Answer(gateway, Ack(epoch="E", seq=4182))]
    assert outcome.await_floor == set()
    with database.read() as session:
        (epoch,) = continuity(session, gateway)
    assert (epoch.contiguous_seq, epoch.holes, epoch.stored, epoch.ack_seq) == (0, [(1, 4181)], 1, 4182)


async def test_a_stranger_whose_hub_died_during_the_grace_is_acknowledged_when_it_sends_again(
    database: Database, gateway: str
) -> None:
    clock = FakeClock(SENT)
    intake(database, clock=clock).take([span(gateway, 7, 7, floor_seq=None)])
    await clock.advance(60.0)
    outcome = intake(database, clock=clock).take([span(gateway, 7, 7, floor_seq=None)])
    assert outcome.answers == [Answer(gateway, Ack(epoch="E", seq=7))]


def test_a_rule_that_fails_on_one_event_keeps_no_other_from_being_stored_and_folded(
    database: Database, gateway: str
) -> None:
    folder = Recorder()
    folder.fails_on = frozenset({"cursed"})
    events = [event(1), event(2, "cursed"), event(3)]
    outcome = intake(database, folder=folder).take([batch(gateway, "E", 1, events, floor_seq=0)])
    assert outcome.answers == [Answer(gateway, Ack(epoch="E", seq=3))]
    assert [seq for _, seq, _ in stored(database, gateway)] == [1, 2, 3]
    assert [folded.seq for folded in folder.folded] == [1, 3]
    with database.read() as session:
        (unfolded,) = session.exec(select(UnfoldedEvent).where(UnfoldedEvent.event_id > folder.folded[0].id)).all()
    assert unfolded.event_id == folder.folded[0].id + 1
    assert "cursed" in unfolded.error


@pytest.mark.parametrize(
    "observed_at",
    ["1970-01-01T00:00:00.000Z", "2100-02-28T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_a_gateway_with_a_bad_clock_is_stored_like_any_other(
    database: Database, gateway: str, observed_at: str
) -> None:
    raw = b'{"observed_at":"%s","device":"door","kind":"door.state","data":{"open":true}}' % observed_at.encode()
    folder = Recorder()
    outcome = intake(database, folder=folder).take([batch(gateway, "E", 1, [raw, event(2)], floor_seq=0)])
    assert outcome.answers == [Answer(gateway, Ack(epoch="E", seq=2))]
    with database.read() as session:
        row = session.get_one(EventRow, folder.folded[0].id)
    assert observed_at in row.body
    # What rules are given can be turned into local time and days.
    local = folder.folded[0].event.observed_at + timedelta(hours=14)
    assert local - timedelta(days=1) < local


def test_a_name_with_a_nul_is_an_unreadable_event(database: Database, gateway: str) -> None:
    raw = rb'{"observed_at":"2026-11-23T06:12:44Z","device":"a\u0000b","kind":"door.state","data":{"open":true}}'
    answers = intake(database).take([batch(gateway, "E", 1, [raw, event(2)], floor_seq=0)]).answers
    assert [(ack.seq, bool(ack.error)) for ack in acks(answers)] == [(1, True), (2, False)]


def test_an_event_that_is_not_utf8_is_an_unreadable_event(database: Database, gateway: str) -> None:
    raw = b'{"observed_at":"2026-11-23T06:12:44Z","device":"a","kind":"door.state","data":{"open":true},"x":"\xff"}'
    answers = intake(database).take([batch(gateway, "E", 1, [raw, event(2)], floor_seq=0)]).answers
    assert [(ack.seq, bool(ack.error)) for ack in acks(answers)] == [(1, True), (2, False)]
