"""What every rule is made of: its description for people, its subject, its finding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from hub.domain.subject import AlertClass, Severity, Subject
from hub.domain.text import Fact, Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on: an event, a version of a record, or an estimate. `ref` names it when it has no id."""

    kind: Literal["event", "record", "estimate"]
    at: datetime
    note: Text
    event_id: int | None = None
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """That a rule's condition holds (`active`), or no longer does, for `subject` because of `source`.

    Several sources may hold one subject's alert active: two smoke detectors of one flat.
    """

    rule_id: str
    subject: Subject
    observed_at: datetime
    active: bool = True
    source: str = ""
    severity: Severity | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Fine:
    """The rule looked, and its condition does not hold."""


@dataclass(frozen=True, slots=True)
class CannotEvaluate:
    """The rule could not look: a limit or a record is unknown, or the evidence is too thin. Never the same as fine."""

    reason: Text


Verdict = Finding | Fine | CannotEvaluate
FINE: Final = Fine()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as people read it. Its numbers are in rule packs; its condition is a function of its module.

    `latched`: only a person ends it. Otherwise it resolves by itself once cleared and acknowledged (ISA-18.2), and
    below P2 without waiting for the acknowledgement. `asks_each_time`: what raises it is a call, not a state; one more
    asks for an answer of its own, whoever answered the one before.
    """

    id: str
    version: str
    alert_class: AlertClass
    severity: Severity
    title: Text
    trigger: Text
    explanation: Text
    basis: Text
    benign: tuple[Text, ...] = ()
    recommended: tuple[Text, ...] = ()
    forbidden: tuple[Text, ...] = ()
    latched: bool = False
    asks_each_time: bool = False


NO_ACTUATION: Final = Text(
    "不得据此自动停用凭证、断水断电或强制腾退",
    "Do not disable credentials, cut utilities or force anyone out over this",
)
NOT_TO_AUTHORITY: Final = Text(
    "未经人工核实不得对外提供", "Do not pass it to anyone outside before a person has checked it"
)
