"""Name what an alert is about, its class and its severity."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class AlertClass(StrEnum):
    """The five queues, kept apart everywhere: life safety, security, compliance, welfare, technical."""

    LIFE = "L"
    SECURITY = "S"
    COMPLIANCE = "C"
    WELFARE = "W"
    TECHNICAL = "T"


Severity = Literal["P0", "P1", "P2", "P3", "P4"]
SubjectKind = Literal["unit", "building", "gateway", "device", "person", "organisation"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about: a house or a thing, never a person's name. `key` is unique among all subjects."""

    key: str
    unit: str | None = None
    building: str | None = None
    gateway: str | None = None
    device: str | None = None
