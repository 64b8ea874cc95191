"""The facts that pass between ingest, rules, alerts and the API: plain values, no I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from wire.events import AnyEvent


class StoredEvent(msgspec.Struct, frozen=True):
    """An event of a gateway, once it has its place in the store. `id` rises in the order of storing."""

    id: int
    gateway_id: str
    epoch: str
    seq: int
    received_at: datetime
    event: AnyEvent
    is_late: bool = False
    """An event of a higher number of the same epoch was stored before: what this one says may be over by now."""


ChangeKind = Literal["alert", "gateway", "device", "unit", "rejected"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that open pages must hear of. Written in the transaction that caused it, told after its commit.

    `subject` is the id of the alert, gateway or device, or the unit's code; no personal data.
    """

    kind: ChangeKind
    subject: str
    what: str
