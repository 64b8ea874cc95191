"""The few shapes by which the hub's parts know each other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from hub.domain.stored_event import Change, StoredEvent


class EventFolder(Protocol):
    """What ingest calls with events that were really new, inside the transaction that stores them."""

    def fold(self, session: Session, events: Sequence[StoredEvent], now: datetime) -> list[Change]:
        """Bring what is known of the touched units, devices and gateways up to date; raise, join or clear alerts.

        Never commits. The changes returned are recorded in the same transaction and told after it.
        """
        ...

    def tick(self, session: Session, now: datetime) -> list[Change]:
        """The rules that time alone triggers: silence, clocks of leases. Called every few seconds."""
        ...
