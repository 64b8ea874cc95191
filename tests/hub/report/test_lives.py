"""An alert's life up to an instant: answers, limits, objections and shelving."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.report.lives import Act, Life

START = datetime(2026, 11, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def life(*acts: Act, resolved: float | None = None, act_within: float | None = 10) -> Life:
    return Life(
        "C1", "C", "B1", START, None if resolved is None else at(resolved), None,
        timedelta(hours=2), None if act_within is None else timedelta(hours=act_within), acts,
    )  # fmt: skip


def test_nobody_answers_and_both_limits_pass() -> None:
    assert life().unanswered_late_at(at(100)) == at(2)
    assert life().unsettled_late_at(at(100)) == at(10)
    assert life().unanswered_late_at(at(2)) is None


def test_an_answer_in_time_is_not_late_and_one_too_late_is() -> None:
    assert life(Act(at(1), "acknowledge")).unanswered_late_at(at(100)) is None
    assert life(Act(at(3), "acknowledge")).unanswered_late_at(at(100)) == at(2)
    assert life(Act(at(3), "acknowledge")).answered_at(at(3)) is None
    assert life(Act(at(3), "resolve"), resolved=3).answered_at(at(4)) == at(3)


def test_what_ends_by_itself_before_its_limit_is_not_late() -> None:
    ended = life(Act(at(1), "clear"), resolved=1)
    assert ended.unanswered_late_at(at(100)) is None
    assert ended.unsettled_late_at(at(100)) is None


def test_without_a_limit_nothing_is_late() -> None:
    assert life(act_within=None).unsettled_late_at(at(1000)) is None


def test_an_objection_stops_the_clock() -> None:
    contested = life(Act(at(1), "acknowledge"), Act(at(4), "contest"), Act(at(24), "review", ""))
    assert contested.unsettled_late_at(at(29)) is None
    assert contested.unsettled_late_at(at(31)) == at(30)
    assert life(Act(at(4), "contest")).unsettled_late_at(at(1000)) is None


def test_what_is_shelved_is_late_only_when_it_comes_back() -> None:
    shelved = life(Act(at(5), "shelve", at(50).isoformat()))
    assert shelved.unsettled_late_at(at(40)) is None
    assert shelved.unsettled_late_at(at(60)) == at(50)
    back = life(Act(at(5), "shelve", at(50).isoformat()), Act(at(20), "unshelve"))
    assert back.unsettled_late_at(at(60)) == at(20)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["acknowledge", "contest", "review", "shelve", "unshelve", "comment"])), max_size=8),
    st.integers(1, 80),
    st.integers(0, 80),
)  # fmt: skip
def test_what_happens_later_never_changes_what_was_late_before(
    acts: list[tuple[int, str]], until: int, later: int
) -> None:
    """A closed month stays as it was: rows written after its end change none of its figures."""
    ordered = [Act(at(n), name, at(n + 7).isoformat() if name == "shelve" else "") for n, name in sorted(acts)]
    whole = life(*ordered, resolved=None)
    known = life(*(act for act in ordered if act.at < at(until)))
    for held in (Life.unanswered_late_at, Life.unsettled_late_at, Life.answered_at):
        assert held(whole, at(until)) == held(known, at(until))
        found = held(whole, at(until))
        if found is not None:
            assert held(whole, at(until + later)) == found
