"""The life of an alert: what may happen in which order, as a state machine that tries everything."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.alerts import lifecycle
from hub.errors import NotAllowedError, RegistryError, StaleAlertError
from hub.store.tables.alerts import AlertRow

START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
PEOPLE = st.sampled_from(["user:wang", "user:li", "user:zhao"])
SOURCES = st.sampled_from(["a", "b", "c"])


def alert(kind: str = "C", severity: str = "P2") -> AlertRow:
    return AlertRow(
        id=1,
        rule_id="C2",
        rule_version="1",
        alert_class=kind,
        severity=severity,
        subject="unit:1",
        opened_at=START,
        observed_at=START,
        last_evidence_at=START,
        is_active=True,
        sources=["a"],
        review="new",
        reviewers=[],
        escalation=0,
        revision=1,
        due_ack_at=START + timedelta(hours=1),
        due_act_at=START + timedelta(days=1),
        explanation_zh="",
        explanation_en="",
        known_at=START,
    )


class Life(RuleBasedStateMachine):
    """Every action at every time. The machine remembers what must never be undone."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.before: tuple[datetime | None, str | None] = (None, None)

    @initialize(kind=st.sampled_from("LSCWT"), severity=st.sampled_from(["P0", "P1", "P2", "P3", "P4"]))
    def begin(self, kind: str, severity: str) -> None:
        self.row = alert(kind, severity)

    def act(self, do: object) -> bool:
        """Do it; what is refused leaves no trace."""
        held = self.row.model_dump()
        try:
            do()  # type: ignore[operator]
        except (StaleAlertError, NotAllowedError, RegistryError):
            assert self.row.model_dump() == held
            return False
        return True

    @rule(minutes=st.integers(1, 3000))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(source=SOURCES)
    def join(self, source: str) -> None:
        if lifecycle.is_open(self.row):
            was_urgent_and_clear = not self.row.is_active and self.row.alert_class in "LS"
            lifecycle.join(self.row, source, self.now)
            assert self.row.is_active
            if was_urgent_and_clear:
                assert self.row.acknowledged_at is None

    @rule(source=st.one_of(st.none(), SOURCES))
    def clear(self, source: str | None) -> None:
        if lifecycle.is_open(self.row):
            acknowledged = self.row.acknowledged_at
            lifecycle.clear(self.row, source, self.now)
            assert self.row.acknowledged_at == acknowledged

    @rule(by=PEOPLE)
    def acknowledge(self, by: str) -> None:
        active = self.row.is_active
        if self.act(lambda: lifecycle.acknowledge(self.row, by, self.now)):
            assert self.row.is_active == active

    @rule(by=PEOPLE)
    def assign(self, by: str) -> None:
        self.act(lambda: lifecycle.assign(self.row, by, "li"))

    @rule(by=PEOPLE)
    def confirm(self, by: str) -> None:
        self.act(lambda: lifecycle.confirm(self.row, by))

    @rule(hours=st.integers(-5, 2000))
    def shelve(self, hours: int) -> None:
        latest = self.now + timedelta(days=30)
        done = self.act(lambda: lifecycle.shelve(self.row, self.now + timedelta(hours=hours), self.now, latest))
        assert not (done and self.row.alert_class == "L")

    @rule()
    def contest(self) -> None:
        self.act(lambda: lifecycle.contest(self.row, self.now))

    @precondition(lambda self: self.row.review == "contested")
    @rule(by=PEOPLE, upheld=st.booleans())
    def review(self, by: str, upheld: bool) -> None:
        took_part = by in self.row.reviewers
        due, pause = self.row.due_act_at, self.now - (self.row.contested_at or self.now)
        done = self.act(lambda: lifecycle.review_contest(self.row, by, self.now, upheld=upheld, cooldown_until=None))
        assert done != took_part
        if done and due is not None:
            assert self.row.due_act_at == due + pause

    @rule(by=PEOPLE, outcome=st.sampled_from(["true", "false", "benign"]), cause=st.sampled_from(["", "cooking"]))
    def resolve(self, by: str, outcome: str, cause: str) -> None:
        until = self.now + timedelta(days=30)
        done = self.act(
            lambda: lifecycle.resolve(
                self.row,
                by,
                self.now,
                outcome=outcome,
                cause=cause,
                cooldown_until=until,  # type: ignore[arg-type]
            )
        )
        if done:
            assert not (outcome == "false" and not cause)
            assert (self.row.no_raise_before is not None) == (outcome == "false" and self.row.alert_class in "CW")

    @rule(latched=st.booleans())
    def settle(self, latched: bool) -> None:
        if lifecycle.settles_itself(self.row, latched=latched):
            assert not latched
            assert not self.row.is_active
            assert self.row.acknowledged_at is not None or self.row.severity not in {"P0", "P1"}
            lifecycle.settle(self.row, self.now)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "row"):
            return
        row = self.row
        assert (row.review == "resolved") == (row.resolved_at is not None)
        assert (row.review == "contested") == (row.contested_at is not None)
        assert row.is_active == bool(row.sources)
        assert (row.cleared_at is None) == row.is_active
        assert not (row.review == "contested" and lifecycle.is_late(row, self.now + timedelta(days=900)))
        if row.alert_class in "CW" and row.confirmed_by is None:
            assert not lifecycle.may_leave_house(row)
        if row.alert_class == "L":
            assert row.shelved_until is None
        if self.before[0] is not None:
            assert (row.resolved_at, row.outcome) == self.before, "what is resolved stays as it was resolved"
        self.before = (row.resolved_at, row.outcome) if row.resolved_at else (None, None)


Life.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


def test_a_late_action_on_another_revision_is_refused() -> None:
    with pytest.raises(StaleAlertError, match="revision 1"):
        lifecycle.check_fresh(alert(), 7)


def test_whoever_confirmed_cannot_review_the_objection() -> None:
    row = alert()
    lifecycle.confirm(row, "user:wang")
    lifecycle.contest(row, START)
    with pytest.raises(NotAllowedError, match="second person"):
        lifecycle.review_contest(row, "user:wang", START, upheld=False, cooldown_until=None)
    lifecycle.review_contest(row, "user:li", START + timedelta(days=2), upheld=False, cooldown_until=None)
    assert row.review == "confirmed"
    assert row.due_act_at == START + timedelta(days=3)


def test_a_settled_alert_of_severity_p1_waits_for_an_acknowledgement() -> None:
    row = alert("T", "P1")
    lifecycle.clear(row, None, START)
    assert not lifecycle.settles_itself(row, latched=False)
    lifecycle.acknowledge(row, "user:wang", START)
    assert lifecycle.settles_itself(row, latched=False)
