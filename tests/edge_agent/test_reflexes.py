"""Smoke sounds the sirens with no hub; a test, a silenced detector and above all duress do not."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.outbox_rows import AT

from edge_agent.reflexes import Action, ReflexRules, ReflexState, is_wanted, silence, step
from wire.events import KnownEvent, LockAlarm, LockAlarmData, SmokeState, SmokeStateData

RULES = ReflexRules(("siren-1", "siren-2"))


def smoke(device: str = "smoke-1", **data: bool) -> SmokeState:
    return SmokeState(observed_at=AT, device=device, unit="u-1", data=SmokeStateData(**{"alarm": True, **data}))


def fold(*events: KnownEvent, rules: ReflexRules = RULES) -> tuple[ReflexState, list[str]]:
    """The state after the events, and every action as `command siren`."""
    state, done = ReflexState(), []
    for event in events:
        state, actions = step(state, event, rules)
        done += [f"{action.command} {action.siren}" for action in actions]
    return state, done


ON = ["siren_on siren-1", "siren_on siren-2"]
OFF = ["siren_off siren-1", "siren_off siren-2"]


def test_smoke_sounds_every_siren_once() -> None:
    state, done = fold(smoke(), smoke())
    assert done == ON
    assert state == ReflexState(frozenset({"smoke-1"}), is_sounding=True)


def test_the_action_names_the_detector_and_its_unit() -> None:
    _, actions = step(ReflexState(), smoke(), RULES)
    assert actions[0] == Action("siren-1", "siren_on", "smoke-1", "u-1")


def test_a_test_neither_sounds_nor_clears() -> None:
    assert fold(smoke(test=True)) == (ReflexState(), [])
    state, done = fold(smoke(), smoke(alarm=False, test=True))
    assert done == ON
    assert state.is_sounding


def test_a_silenced_detector_is_not_clear() -> None:
    state, done = fold(smoke(), smoke(alarm=False, silenced=True))
    assert done == ON
    assert state.alarming == {"smoke-1"}


def test_sirens_stop_when_the_last_detector_is_clear() -> None:
    state, done = fold(smoke("a"), smoke("b"), smoke("a", alarm=False))
    assert done == ON + ON
    assert state.is_sounding
    assert fold(smoke("a"), smoke("b"), smoke("a", alarm=False), smoke("b", alarm=False)) == (
        ReflexState(),
        ON + ON + OFF,
    )


def test_sirens_go_on_until_a_person_comes_when_configured_so() -> None:
    rules = ReflexRules(("siren-1",), siren_off_when_clear=False)
    state, done = fold(smoke(), smoke(alarm=False), rules=rules)
    assert done == ["siren_on siren-1"]
    assert state == ReflexState(frozenset(), is_sounding=True)
    assert not silence(state).is_sounding


def test_a_clear_that_no_alarm_preceded_does_nothing() -> None:
    assert fold(smoke(alarm=False)) == (ReflexState(), [])


def test_after_a_person_silenced_it_only_another_detector_sounds_it_again() -> None:
    state, _ = fold(smoke("a"))
    state = silence(state)
    state, actions = step(state, smoke("a"), RULES)
    assert actions == []
    state, actions = step(state, smoke("b"), RULES)
    assert [action.command for action in actions] == ["siren_on", "siren_on"]
    assert state.is_sounding


def test_a_silenced_siren_is_not_switched_off_again_when_all_is_clear() -> None:
    state, _ = fold(smoke("a"))
    _, actions = step(silence(state), smoke("a", alarm=False), RULES)
    assert actions == []


@pytest.mark.parametrize("alarm", get_args(LockAlarmData.__annotations__["alarm"]))
def test_no_lock_alarm_ever_makes_a_sound(alarm: str) -> None:
    event = LockAlarm(observed_at=AT, device="lock-1", data=LockAlarmData(alarm=alarm))  # type: ignore[arg-type]  # of the literal
    assert fold(event) == (ReflexState(), [])
    assert alarm != "duress" or fold(smoke(), event)[1] == ON


def test_an_action_is_wanted_as_long_as_the_state_has_not_turned() -> None:
    state, _ = fold(smoke())
    on, off = Action("siren-1", "siren_on", "smoke-1"), Action("siren-1", "siren_off", "smoke-1")
    assert (is_wanted(state, on), is_wanted(state, off)) == (True, False)
    assert (is_wanted(silence(state), on), is_wanted(silence(state), off)) == (False, True)


@given(
    st.lists(st.builds(smoke, st.sampled_from("abc"), alarm=st.booleans(), test=st.booleans(), silenced=st.booleans()))
)
def test_the_sirens_sound_exactly_while_a_detector_is_in_alarm(events: list[SmokeState]) -> None:
    state, done = fold(*events)
    assert state.is_sounding == bool(state.alarming)
    assert (done[-1:] == ["siren_on siren-2"]) == state.is_sounding
