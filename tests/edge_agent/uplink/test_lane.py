"""What to send of a lane and what answers mean: tables, and a hub and a network that do their worst."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.uplink.lane import MAX_WINDOW, LaneSender, Mode, Probe, Want

EPOCH = "01JD9ZK3W6K6Q2V7R7M3J0X9AB"


def greeted(acked: int = 0, last: int = 0) -> LaneSender:
    """A sender that has heard of the hub already."""
    sender = LaneSender(EPOCH, acked, last)
    sender.is_greeted = True
    return sender


def send_all(sender: LaneSender, last_seq: int, now_s: float = 0.0) -> list[tuple[int, int]]:
    """Send what the sender wants; the batches as (first, last)."""
    batches = []
    while isinstance(want := sender.want(last_seq, now_s), Want):
        first, last = want.after + 1, min(want.after + want.events, last_seq)
        sender.sent(first, last, now_s, 0.5)
        batches.append((first, last))
    return batches


def test_the_first_event_of_a_process_goes_alone() -> None:
    sender = LaneSender(EPOCH, 10, 500)
    assert send_all(sender, 500) == [(11, 11)]
    assert sender.on_ack(11, 500, 0.1, 0.5).delete_to == 11
    assert send_all(sender, 500) == [(12, 75), (76, 139), (140, 203)]


def test_one_event_is_sent_at_once_and_many_in_batches_within_the_window() -> None:
    sender = greeted()
    assert send_all(sender, 1) == [(1, 1)]
    assert send_all(sender, 1000) == [(2, 65)]
    assert sender.want(1000, 0.0) is None


def test_the_window_grows_while_round_trips_are_quick_and_shrinks_when_they_are_slow() -> None:
    sender = greeted()
    now_s, last = 0.0, 100_000
    for _ in range(20):
        batches = send_all(sender, last, now_s)
        now_s += 0.05
        sender.on_ack(batches[-1][1], last, now_s, 0.5)
    assert sender.window == MAX_WINDOW
    batches = send_all(sender, last, now_s)
    assert len(batches) == MAX_WINDOW
    sender.on_ack(batches[-1][1], last, now_s + 3.0, 0.5)
    assert sender.window == MAX_WINDOW // 2


def test_a_batch_that_is_not_acknowledged_is_sent_again_from_behind_the_last_acknowledgement() -> None:
    sender = greeted()
    send_all(sender, 200)
    sender.on_ack(64, 200, 0.1, 0.5)
    send_all(sender, 200, 0.1)
    assert not sender.on_timer(5.0)
    assert sender.on_timer(5.2)
    assert send_all(sender, 200, 5.2) == [(65, 128)], "carefully, one batch at a time"


def test_the_pause_before_sending_again_grows_with_jitter_and_has_a_limit() -> None:
    sender = greeted()
    now_s, pauses = 0.0, []
    for _ in range(8):
        send_all(sender, 10, now_s)
        assert sender.deadline_s is not None
        pauses.append(sender.deadline_s - now_s)
        now_s = sender.deadline_s
        assert sender.on_timer(now_s)
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 60.0]
    sender.rewind()
    sender.sent(1, 1, 0.0, 0.0)
    assert sender.deadline_s == 45.0


def test_a_lost_connection_begins_again_behind_the_last_acknowledgement() -> None:
    sender = greeted()
    send_all(sender, 200)
    sender.on_ack(64, 200, 0.1, 0.5)
    sender.rewind()
    assert send_all(sender, 200)[0] == (65, 128)


def test_an_acknowledgement_inside_a_batch_leaves_the_rest_of_it_in_flight() -> None:
    sender = greeted()
    send_all(sender, 64)
    assert sender.on_ack(10, 64, 0.1, 0.5).delete_to == 10
    assert [flight.last for flight in sender.flights] == [64]
    assert sender.on_timer(100.0)
    assert send_all(sender, 64, 100.0) == [(11, 64)]


def test_an_old_acknowledgement_changes_nothing() -> None:
    sender = greeted(acked=50, last=100)
    assert sender.on_ack(40, 100, 0.0, 0.5).delete_to is None
    assert sender.acked == 50


@pytest.mark.parametrize(("acked", "known", "sent_to", "last", "seq"), [(0, 10, 0, 10, 11), (5, 10, 0, 40, 11)])
def test_a_hub_that_has_more_than_was_ever_sent_means_a_file_put_back(
    acked: int, known: int, sent_to: int, last: int, seq: int
) -> None:
    sender = LaneSender(EPOCH, acked, known)
    assert sent_to == sender.sent_to
    verdict = sender.on_ack(seq, last, 0.0, 0.5)
    assert verdict.must_renumber
    assert verdict.delete_to is None
    assert sender.acked == acked


def test_what_an_earlier_process_sent_may_be_acknowledged() -> None:
    sender = LaneSender(EPOCH, 5, 10)
    assert sender.on_ack(10, 12, 0.0, 0.5).delete_to == 10


def test_an_event_that_the_hub_names_is_set_aside_and_the_flow_goes_on() -> None:
    sender = greeted()
    send_all(sender, 64)
    verdict = sender.on_error(7, "no such unit", 0.1, 5.0)
    assert verdict.set_aside == (7, "no such unit")
    assert sender.on_error(7, "no such unit", 0.1, 5.0).set_aside is None, "a late second word about the same event"
    assert sender.on_ack(64, 64, 0.2, 0.5).delete_to == 64


@pytest.mark.parametrize("seq", [50, 51, 1000])
def test_an_error_about_a_number_that_is_not_in_flight_is_a_stray(seq: int) -> None:
    sender = greeted(acked=50, last=50)
    send_all(sender, 50)
    assert sender.on_error(seq, "what", 0.0, 5.0).is_stray


def test_a_refused_batch_is_halved_down_to_the_poison_which_is_set_aside_when_refused_beside_a_good_probe() -> None:
    sender = greeted()
    poison, now_s, sizes = 5, 0.0, []
    while sender.mode is not Mode.PROBING:
        (first, last), *_ = send_all(sender, 64, now_s)
        sizes.append(last - first + 1)
        if first <= poison <= last:
            assert sender.on_error(0, "bad", now_s, 5.0).set_aside is None
        else:
            sender.on_ack(last, 64, now_s, 0.5)
        now_s += 0.1
    assert sizes[0] == 64
    assert sender.want(64, now_s) == Probe(poison - 1)
    sender.probed(now_s, 0.5)
    assert sender.want(64, now_s) is None
    assert sender.on_ack(poison - 1, 64, now_s, 0.5).delete_to is None
    assert sender.want(64, now_s) == Want(poison - 1, 1)
    sender.sent(poison, poison, now_s, 0.5)
    assert sender.on_error(0, "bad", now_s, 5.0).set_aside == (poison, "bad")
    assert sender.mode is Mode.FLOWING


def test_an_event_that_passes_at_its_second_chance_is_no_poison() -> None:
    sender = greeted()
    sender.size = 1
    send_all(sender, 64)
    sender.on_error(0, "just now I am upset", 0.0, 5.0)
    assert sender.want(64, 0.0) == Probe(0)
    sender.probed(0.0, 0.5)
    sender.on_probe_ack()
    assert send_all(sender, 64) == [(1, 1)]
    verdict = sender.on_ack(1, 64, 0.0, 0.5)
    assert (verdict.set_aside, verdict.delete_to) == (None, 1)
    assert sender.mode is Mode.FLOWING
    assert sender.reason == ""


def test_a_hub_that_refuses_the_probe_too_refuses_us_and_nothing_is_set_aside() -> None:
    sender = greeted()
    sender.size = 1
    send_all(sender, 64)
    sender.on_error(0, "unknown gateway", 0.0, 5.0)
    assert sender.mode is Mode.PROBING
    sender.probed(0.0, 0.5)
    assert sender.on_error(0, "unknown gateway", 0.0, 5.0).set_aside is None
    assert sender.mode is Mode.BLOCKED
    assert sender.reason == "unknown gateway"
    assert sender.want(64, 4.9) is None
    assert sender.want(64, 5.1) == Want(0, 1)


def test_a_floor_that_the_drop_policy_raised_is_not_sent_again() -> None:
    sender = greeted()
    send_all(sender, 200)
    sender.raise_floor(100)
    assert [flight.last for flight in sender.flights] == [128]
    sender.rewind()
    assert send_all(sender, 200)[0] == (101, 164)


class WorstHub:
    """A hub that keeps the contract, behind a network that loses, repeats and delays."""

    def __init__(self, chance: random.Random, poison: set[int], *, names: bool) -> None:
        self.chance = chance
        self.poison = poison
        self.names = names
        self.rows: dict[int, int] = {}
        self.rejected: set[int] = set()

    def take(self, first: int, last: int, floor: int, tombstones: set[int]) -> list[tuple[int, str | None]]:
        """Answers as (seq, error). A row holds its own number, or 0 for a tombstone."""
        bad = [seq for seq in range(first, last + 1) if seq in self.poison - tombstones]
        if bad and not self.names:
            return [(0, "bad")]
        for seq in range(first, last + 1):
            if seq in bad:
                self.rejected.add(seq)
            else:
                self.rows.setdefault(seq, 0 if seq in tombstones else seq)
        reached = floor
        while reached + 1 in self.rows or reached + 1 in self.rejected:
            reached += 1
        return [*((seq, "bad") for seq in bad), (reached, None)]


@given(
    seed=st.integers(0, 1 << 32),
    total=st.integers(1, 400),
    poison=st.sets(st.integers(1, 400), max_size=4),
    names=st.booleans(),
    loss=st.sampled_from([0.0, 0.1, 0.5]),
)
@settings(max_examples=150, deadline=None)
def test_every_good_event_arrives_and_nothing_is_deleted_before_the_hub_has_it(
    seed: int, total: int, poison: set[int], names: bool, loss: float
) -> None:
    chance = random.Random(seed)
    hub = WorstHub(chance, poison, names=names)
    sender = LaneSender(EPOCH, 0, 0)
    set_aside: set[int] = set()
    now_s, turns, last_seq = 0.0, 0, 0
    wire: list[tuple[int, str | None]] = []
    while sender.acked < total:
        turns += 1
        assert turns < 20_000, f"no progress: {sender}"
        last_seq = min(total, last_seq + chance.randint(0, 20))
        sender.on_timer(now_s)
        while (want := sender.want(last_seq, now_s)) is not None:
            if isinstance(want, Probe):
                sender.probed(now_s, chance.random())
                if chance.random() >= loss:
                    wire.append((want.seq, None))
                continue
            first, last = want.after + 1, min(want.after + want.events, last_seq)
            sender.sent(first, last, now_s, chance.random())
            for _ in range(chance.choice((1, 1, 2))):
                if chance.random() >= loss:
                    answers = hub.take(first, last, sender.acked, set_aside)
                    wire += [answer for answer in answers if chance.random() >= loss]
        now_s += chance.choice((0.01, 0.5, 6.0))
        if chance.random() < 0.05:
            sender.rewind()
            wire.clear()
        while wire and chance.random() < 0.9:
            seq, error = wire.pop(0)
            if error is None:
                verdict = sender.on_ack(seq, last_seq, now_s, chance.random())
            else:
                verdict = sender.on_error(seq, error, now_s, 1.0)
            assert not verdict.must_renumber
            if verdict.set_aside is not None:
                set_aside.add(verdict.set_aside[0])
            if verdict.delete_to is not None:
                assert all(number in hub.rows or number in hub.rejected for number in range(1, verdict.delete_to + 1))
    assert set(range(1, total + 1)) - poison - set_aside <= {seq for seq, body in hub.rows.items() if body == seq}
    # Late and repeated refusals may be laid to a neighbour; without them only the poison is set aside.
    assert set_aside <= poison or loss > 0 or not names
