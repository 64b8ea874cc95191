"""The monthly report as data: figures with what each of them means. Nobody's name is among them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.domain.subject import AlertClass
from hub.domain.text import Text


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Definition(_View):
    """What a figure is called, what it counts, and how it is written."""

    key: str
    title: Text
    meaning: Text
    form: Literal["number", "share", "seconds"]


class Figure(_View):
    """One figure; None is "cannot be said": nothing to divide by."""

    key: str
    value: int | float | None


class AlertFigures(_View):
    """What became of alerts in the month; the keys are those of the definitions."""

    opened: int = 0
    opened_before: int = 0
    answered: int = 0
    answer_median_s: float | None = None
    answer_late: int = 0
    settle_late: int = 0
    resolved: int = 0
    true: int = 0
    false: int = 0
    benign: int = 0
    cleared: int = 0
    false_share: float | None = None
    open_at_end: int = 0


class ClassFigures(AlertFigures):
    """Of one class; None is all of them."""

    alert_class: AlertClass | None


class RuleFigures(AlertFigures):
    """Of one rule."""

    rule: str
    alert_class: AlertClass
    title: Text


class GatewayFigures(_View):
    """Hours of the month in which a gateway was heard, of those since it was first heard."""

    gateway: str
    building: str | None
    hours_due: int
    hours_heard: int


class EventFigures(_View):
    """Events of one kind that were stored in the month. `earlier`: those of them that happened before it began."""

    kind: str
    title: Text
    stored: int
    earlier: int


class PackUsed(_View):
    """A rule pack whose numbers held for houses of the scope."""

    pack: str
    version: str
    title: Text


class MonthlyReport(_View):
    """平安月报 of a scope. `until`: the month's end, or what had passed of it.

    `is_whole`: nothing of the month is old enough to have been deleted yet.
    """

    month: str
    scope: str
    scope_name: str
    start: datetime
    until: datetime
    is_closed: bool
    is_whole: bool
    houses: tuple[Figure, ...]
    devices: tuple[Figure, ...]
    process: tuple[Figure, ...]
    classes: tuple[ClassFigures, ...]
    rules: tuple[RuleFigures, ...]
    gateways: tuple[GatewayFigures, ...]
    events: tuple[EventFigures, ...]
    packs: tuple[PackUsed, ...]
    definitions: tuple[Definition, ...]
