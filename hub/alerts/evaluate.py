"""The hub's brain as ingest knows it: folds new events into what is known, and lets time pass over it.

The fast path (`fold`) runs in the transaction that stores the events, and holds life safety, security and what single
devices say. The slow path (`tick`) follows the stored events by number: uses of credentials, belief about people,
compliance and welfare. So nothing that compliance does can delay or break an alarm.
"""

import copy
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from sqlmodel import Session

from hub.alerts.book import AlertBook
from hub.alerts.follow import Follower
from hub.alerts.packs import standard_packs
from hub.alerts.silence import heard_again, listening_since, next_check, watch_devices, watch_gateways
from hub.alerts.units import UnitWatch
from hub.alerts.watch import Watched, WatchTable, forget_checks
from hub.facts import Change, StoredEvent
from hub.registry.ledger import Ledger
from hub.rules import l4_detector_lost
from hub.rules.local_time import local_day
from hub.rules.on_event import Around, judge
from hub.rules.place import Place
from hub.rules.policy import PackSet
from hub.rules.seen import absorb
from wire.events import (
    CameraState,
    DeviceHealth,
    DoorState,
    FireComponent,
    LockAccess,
    LockAlarm,
    LockState,
    PeopleCrossing,
    PeoplePresent,
    SmokeState,
)

log = structlog.get_logger(__name__)

_DEVICE_KINDS: Final = frozenset(
    {
        SmokeState, FireComponent, LockAlarm, DeviceHealth, DoorState, LockState, LockAccess, CameraState,
        PeopleCrossing, PeoplePresent,
    }
)  # fmt: skip
_SAYS_WHAT: Final[dict[type, str]] = {
    SmokeState: "smoke",
    LockAccess: "lock",
    LockAlarm: "lock",
    LockState: "lock",
    PeopleCrossing: "camera",
    PeoplePresent: "camera",
    CameraState: "camera",
}
_NEEDS_HEADS: Final = (SmokeState, FireComponent)


class Evaluator:
    """Implements `hub.ports.EventFolder`. One per process; its caches are refreshed at the start of each transaction.

    `replays`: judge by what the ledger held at `now`, not by what it holds.
    """

    def __init__(self, packs: PackSet | None = None, *, replays: bool = False) -> None:
        self._packs = packs or standard_packs()
        self._ledger = Ledger()
        self._follower = Follower(self._ledger)
        self._units = UnitWatch(self._ledger)
        self._replays = replays

    def fold(self, session: Session, events: Sequence[StoredEvent], now: datetime) -> list[Change]:
        """Bring devices up to date and raise what cannot wait. Never commits."""
        relevant = [stored for stored in events if type(stored.event) in _DEVICE_KINDS]
        if not relevant:
            return []
        self._ledger.refresh(session, now if self._replays else None)
        book = AlertBook(session, self._ledger, self._packs, now)
        table = WatchTable(session)
        table.load({f"{stored.gateway_id}/{stored.event.device}" for stored in relevant})
        for stored in relevant:
            self._fold_one(session, stored, table, book)
        table.flush()
        return book.changes

    def _fold_one(self, session: Session, stored: StoredEvent, table: WatchTable, book: AlertBook) -> None:
        event = stored.event
        place = self._ledger.place(session, stored.gateway_id, event.device, event.unit)
        watched = table.get(place, stored.received_at, stored.id)
        was = copy.copy(watched.seen)
        if absorb(watched.seen, event, stored.id):
            watched.is_changed = True
        policy = book.policy(place.building)
        was_seen_at = watched.last_seen_at
        watched.last_seen_at = max(was_seen_at, stored.received_at)
        watched.last_event_id = stored.id
        if watched.kind == "other" and (kind := _SAYS_WHAT.get(type(event))) is not None:
            # A device that the ledger does not know shows by what it says what it is.
            watched.kind, watched.is_changed = kind, True
        around = Around(None, 0)
        if isinstance(event, _NEEDS_HEADS):
            self._note_alarm(event, watched)
            around = Around(self._people(session, place, stored.received_at), table.others_in_alarm(place))
        if watched.kind == "smoke" and heard_again(place, was_seen_at, watched, policy):
            p = policy.of("L4", l4_detector_lost.Parameters)
            book.take(l4_detector_lost.on_silence(place, stored.received_at, stored.id, p, stored.received_at), policy)
        watched.check_at = next_check(place, watched, policy)
        for finding in judge(place, event, stored.id, was=was, seen=watched.seen, around=around, policy=policy):
            book.take(finding, policy)

    @staticmethod
    def _note_alarm(event: SmokeState | FireComponent, watched: Watched) -> None:
        alarm = "fire" in event.data.states if isinstance(event, FireComponent) else watched.seen.smoke
        if alarm != watched.in_alarm:
            watched.in_alarm, watched.is_changed = alarm, True

    def _people(self, session: Session, place: Place, at: datetime) -> int | None:
        """Registered heads for rescue: of the unit, or None where no unit is known."""
        if place.unit is None:
            return None
        unit = self._ledger.unit(session, place.unit)
        return None if unit is None else len(unit.people_on(local_day(at)))

    def tick(self, session: Session, now: datetime) -> list[Change]:
        """What time alone brings about, and what compliance has to say of the events since the last call."""
        self._ledger.refresh(session, now if self._replays else None)
        book = AlertBook(session, self._ledger, self._packs, now)
        listening = listening_since(session, now)
        if self._units.note_ledger(session, now):
            forget_checks(session, now)
        self._units.sweep(session, now)
        self._follower.follow(session, now)
        watch_gateways(session, self._ledger, book, now, listening)
        watch_devices(session, self._ledger, book, now, listening)
        self._units.evaluate_due(session, book, now)
        return book.changes
