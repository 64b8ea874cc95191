"""Life-safety rules that work with no hub. Pure: what is known and an event give what is known then and what to do.

smoke alarm (no test) on any detector  -> every siren on, once per detector that joins
the last detector is clear             -> sirens off (unless `siren_off_when_clear` is off)
a person's `siren_off` by command      -> nothing more until another detector joins

A test is a test: it neither sounds nor clears. A detector that was silenced by hand is not clear (GB 20517: smoke may
still be there). Locks, and duress above all, never make a sound: it would tell the attacker.
"""

from typing import Final, Literal

import msgspec

from wire.events import KnownEvent, SmokeState

RULE: Final = "smoke_siren"
SIREN_ON: Final = "siren_on"
SIREN_OFF: Final = "siren_off"


class ReflexState(msgspec.Struct, frozen=True):
    """What the reflexes remember, also across a restart."""

    alarming: frozenset[str] = frozenset()
    """Detectors in alarm that have not said that they are clear."""
    is_sounding: bool = False
    """Whether the sirens should sound now."""


class Action(msgspec.Struct, frozen=True):
    """A command for a siren, and the detector whose event caused it."""

    siren: str
    command: Literal["siren_on", "siren_off"]
    detector: str
    unit: str | None = None


class ReflexRules(msgspec.Struct, frozen=True):
    """The configuration of the reflexes."""

    sirens: tuple[str, ...] = ()
    siren_off_when_clear: bool = True


def step(state: ReflexState, event: KnownEvent, rules: ReflexRules) -> tuple[ReflexState, list[Action]]:
    """Fold one event in. Returns the state after it and what to do, in order."""
    if not isinstance(event, SmokeState) or event.data.test:
        return state, []
    detector = event.device
    if event.data.alarm:
        if detector in state.alarming:
            return state, []
        return (
            ReflexState(state.alarming | {detector}, is_sounding=True),
            [Action(siren, SIREN_ON, detector, event.unit) for siren in rules.sirens],
        )
    if event.data.silenced or detector not in state.alarming:
        return state, []
    rest = state.alarming - {detector}
    if rest or not rules.siren_off_when_clear or not state.is_sounding:
        return ReflexState(rest, state.is_sounding), []
    return ReflexState(), [Action(siren, SIREN_OFF, detector, event.unit) for siren in rules.sirens]


def silence(state: ReflexState) -> ReflexState:
    """A person has switched a siren off: no siren is switched on again until another detector joins."""
    return ReflexState(state.alarming, is_sounding=False)


def is_wanted(state: ReflexState, action: Action) -> bool:
    """Whether an action that has not succeeded yet should still be tried."""
    return state.is_sounding == (action.command == SIREN_ON)
