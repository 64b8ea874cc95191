"""What is acknowledged, and when."""

from datetime import UTC, datetime, timedelta

from hub.ingest.progress import GRACE, MAX_HOLES, Progress
from hub.ingest.ranges import count

START = datetime(2026, 11, 23, 6, tzinfo=UTC)


def progress() -> Progress:
    return Progress(first_batch_at=START)


def take(state: Progress, first: int, last: int, bad: tuple[int, ...] = ()) -> list[int]:
    new = state.new_numbers(first, last)
    state.take(first, last, [n for n in new if n not in bad], [n for n in new if n in bad])
    return new


def test_numbers_from_one_are_acknowledged_as_they_come() -> None:
    state = progress()
    assert take(state, 1, 10) == list(range(1, 11))
    assert state.reached() == 10
    assert take(state, 5, 12) == [11, 12]
    assert state.reached() == 12


def test_a_hole_holds_the_acknowledgement_back_until_it_is_filled() -> None:
    state = progress()
    take(state, 1, 3)
    take(state, 7, 9)
    assert state.reached() == 3
    take(state, 4, 6)
    assert state.reached() == 9


def test_an_event_that_cannot_be_read_does_not_hold_the_others_back() -> None:
    state = progress()
    take(state, 1, 5, bad=(3,))
    assert (state.reached(), state.rejected, state.stored_count) == (5, [(3, 3)], 4)


def test_a_rejected_number_that_comes_again_well_formed_is_stored_and_no_longer_rejected() -> None:
    state = progress()
    take(state, 1, 5, bad=(3,))
    assert take(state, 1, 5) == [3]
    assert (state.rejected, state.stored_count) == ([], 5)
    assert take(state, 1, 5) == []


def test_a_floor_is_acknowledged_over_and_the_numbers_below_stay_missing() -> None:
    state = progress()
    state.raise_floor(100, 101)
    take(state, 101, 110)
    assert state.reached() == 110
    assert state.accounted == [(101, 110)]


def test_a_floor_never_falls_and_never_lies_inside_the_batch_that_names_it() -> None:
    state = progress()
    state.raise_floor(2**63 - 1, 11)
    take(state, 11, 20)
    assert (state.floor_seq, state.reached()) == (10, 20)
    state.raise_floor(0, 5)
    assert state.floor_seq == 10


def test_a_stranger_that_begins_in_the_middle_is_acknowledged_after_the_grace() -> None:
    state = progress()
    take(state, 4182, 4182)
    state.adopt_floor(START + GRACE / 2)
    assert (state.reached(), state.awaits_floor) == (0, True)
    state.adopt_floor(START + GRACE)
    assert (state.reached(), state.awaits_floor) == (4182, False)


def test_earlier_numbers_that_arrive_within_the_grace_are_waited_for() -> None:
    state = progress()
    take(state, 5, 8)
    take(state, 1, 4)
    state.adopt_floor(START + GRACE)
    assert (state.has_floor, state.floor_seq, state.reached()) == (False, 0, 8)


def test_a_sender_that_says_floor_zero_is_believed() -> None:
    state = progress()
    state.raise_floor(0, 5)
    take(state, 5, 8)
    state.adopt_floor(START + timedelta(hours=1))
    assert state.reached() == 0


def test_a_clock_that_was_set_back_does_not_make_the_grace_last_for_ever() -> None:
    state = progress()
    take(state, 5, 8)
    state.adopt_floor(START - timedelta(days=3650))
    assert state.reached() == 8


def test_a_sender_that_leaves_every_second_number_out_is_refused_before_the_row_grows_without_bound() -> None:
    state = progress()
    taken = 0
    for seq in range(2, 10 * MAX_HOLES, 2):
        if state.refuses(seq, seq):
            break
        take(state, seq, seq)
        taken += 1
    assert taken == MAX_HOLES
    assert not state.refuses(1, 1), "the missing numbers themselves are welcome"


def test_old_holes_are_counted_when_they_are_too_many_to_list_and_the_first_stays_exact() -> None:
    state = progress()
    take(state, 1, 1)
    for seq in range(3, 6 * MAX_HOLES, 2):
        state.raise_floor(seq - 1, seq)
        take(state, seq, seq)
        state.ack_seq = state.reached()
    assert len(state.accounted) <= 2 * MAX_HOLES
    assert state.accounted[0] == (1, 1)
    highest = state.accounted[-1][1]
    assert state.stored_count == (highest + 1) // 2
    assert count(state.accounted) - state.forgotten_count == state.stored_count


def test_a_sender_of_nothing_but_poison_keeps_the_row_small() -> None:
    state = progress()
    for first in range(1, 10 * MAX_HOLES, 2):
        take(state, first, first + 1, bad=(first,))
    assert len(state.rejected) <= 2 * MAX_HOLES
    assert len(state.accounted) == 1
