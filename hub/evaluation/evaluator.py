"""The hub's brain as ingest knows it: folds new events into what is known, and lets time pass over it.

The fast path (`fold`) runs in the transaction that stores the events, and holds life safety, security and what single
devices say. The slow path (`tick`) follows the stored events by number: uses of credentials, belief about people,
compliance and welfare. So nothing that compliance does can delay or break an alarm.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlmodel import Session

from hub.alerts.alert_writer import AlertWriter
from hub.alerts.escalation import escalate, night_of
from hub.domain.device_location import Place
from hub.domain.entities import Credential
from hub.domain.local_time import local_day
from hub.domain.observations import apply_event, note_activity
from hub.domain.stored_event import Change, StoredEvent
from hub.evaluation.daily_checks import HouseWatch, is_due, look_daily
from hub.evaluation.device_states import Watched, WatchTable, forget_checks
from hub.evaluation.event_follower import Follower
from hub.evaluation.late_events import later_words
from hub.evaluation.silence_checks import heard_again, listening_since, watch_devices, watch_gateways
from hub.evaluation.unit_evaluation import UnitWatch
from hub.notify.queue import queue_alerts
from hub.policies.packs import standard_packs
from hub.registry.snapshot import RegistrySnapshot
from hub.rules import l4_detector_lost, t2_backlog, t4_clock
from hub.rules.on_event import Around, is_invalid, is_ordinary, judge, next_check
from hub.rules.policy import PackSet
from hub.rules.t5_unknown_device import is_known
from hub.rules.t5_unknown_device import judge as unknown_device
from hub.store.audit_tip import AuditTip
from wire.events import (
    AnyEvent,
    CameraState,
    DeviceHealth,
    DoorState,
    FireComponent,
    GatewayHealth,
    HelpCall,
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
        PeopleCrossing, PeoplePresent, HelpCall,
    }
)  # fmt: skip
_SAYS_WHAT: Final[dict[type, str]] = {
    SmokeState: "smoke",
    HelpCall: "help",
    LockAccess: "lock",
    LockAlarm: "lock",
    LockState: "lock",
    PeopleCrossing: "camera",
    PeoplePresent: "camera",
    CameraState: "camera",
}
_CARE_EVERY: Final = timedelta(minutes=15)
_NEVER_HEARD_EVERY: Final = timedelta(hours=1)
_NEEDS_HEADS: Final = (SmokeState, FireComponent)


class Evaluator:
    """Implement `hub.runtime.ports.EventFolder`. One per process; its caches are refreshed with each transaction.

    `replays`: judge by what the registry held at `now`, not by what it holds. `is_alone`: nobody else writes to this
    database while this lives, and nobody reads beliefs from it: what was read is kept, and beliefs stay in memory.
    `tip`: what was seen of the audit trail's end, where a trail is kept.
    """

    def __init__(
        self,
        packs: PackSet | None = None,
        *,
        replays: bool = False,
        is_alone: bool = False,
        tip: AuditTip | None = None,
    ) -> None:
        self._packs = packs or standard_packs()
        self._tip = tip
        # Device -> the event with which T5 looked at it, and whether the registry had it. A cache: T5 is in the store.
        self._looked_at: dict[str, tuple[int, bool]] = {}
        self._looked_in = -1
        self._registry = RegistrySnapshot()
        self._follower = Follower(self._registry, is_alone=is_alone)
        self._units = UnitWatch(self._registry, is_alone=is_alone)
        self._houses = HouseWatch(self._registry)
        self._replays = replays

    def fold(self, session: Session, events: Sequence[StoredEvent], now: datetime) -> list[Change]:
        """Bring devices up to date and raise what cannot wait. Never commits."""
        relevant = [stored for stored in events if type(stored.event) in _DEVICE_KINDS]
        reports = [stored for stored in events if type(stored.event) is GatewayHealth]
        if not relevant and not reports:
            return []
        self._registry.refresh(session, now if self._replays else None)
        if self._looked_in != self._registry.revision:
            self._looked_at.clear()
            self._looked_in = self._registry.revision
        places = {(stored.gateway_id, stored.event.device, stored.event.unit) for stored in relevant}
        self._registry.look_up(session, places | {(stored.gateway_id, stored.event.device, None) for stored in reports})
        self._registry.look_up_credentials(session, {ref for stored in relevant if (ref := _ref(stored.event))})
        book = AlertWriter(session, self._registry, self._packs, now)
        book.prefetch({stored.gateway_id for stored in events})
        table = WatchTable(session)
        table.load({f"{stored.gateway_id}/{stored.event.device}" for stored in relevant})
        after = later_words(session, relevant)
        for stored in relevant:
            words = after.get(stored.id, ())
            if words and _says_no_fire(stored.event):
                # The newer word of the same detector may be an alarm: an old all-clear must not clear that.
                continue
            self._fold_one(session, stored, table, book)
            for word in words:
                self._fold_one(session, word, table, book)
        table.flush()
        self._gateway_health(session, [stored for stored in reports if not stored.is_late], book)
        if book.to_notify:
            queue_alerts(session, book.to_notify, now, night=night_of(book.policy(None)))
        return book.changes

    def _gateway_health(self, session: Session, reports: Sequence[StoredEvent], book: AlertWriter) -> None:
        """T2 and T4, from the newest report of each gateway."""
        for stored in {stored.gateway_id: stored for stored in reports}.values():
            event = stored.event
            assert isinstance(event, GatewayHealth)
            place = self._registry.place(session, stored.gateway_id, event.device, None)
            if not place.is_adopted:
                continue
            policy = book.policy(place.building)
            about = (stored.gateway_id, place.building_code, event, stored.id)
            at = stored.received_at
            book.take(t2_backlog.judge(*about, received_at=at, p=policy.of("T2", t2_backlog.Parameters)), policy)
            book.take(t4_clock.judge(*about, received_at=at, p=policy.of("T4", t4_clock.Parameters)), policy)

    def _fold_one(self, session: Session, stored: StoredEvent, table: WatchTable, book: AlertWriter) -> None:
        event = stored.event
        place = self._registry.place(session, stored.gateway_id, event.device, event.unit)
        watched = table.get(place, stored.received_at, stored.id)
        if place.is_adopted and self._needs_device_check(place, watched):
            self._unknown_device(place, stored, watched, book)
        was_seen_at = watched.last_seen_at
        watched.last_seen_at = max(was_seen_at, stored.received_at)
        watched.last_event_id = max(watched.last_event_id, stored.id)
        if watched.kind == "other" and (kind := _SAYS_WHAT.get(type(event))) is not None:
            # A device that the registry does not know shows by what it says what it is.
            watched.kind, watched.is_changed = kind, True
        ref = _ref(event)
        held = self._registry.credential(session, ref) if ref is not None else None
        if watched.kind != "smoke" and is_ordinary(event, watched.seen, held):
            note_activity(watched.seen, event.observed_at)
            return
        was = copy.copy(watched.seen)
        around = self._around(session, place, stored, held)
        invalid = isinstance(event, LockAccess) and is_invalid(event, held)
        is_changed = apply_event(watched.seen, event, stored.id, is_invalid=invalid)
        watched.is_changed = watched.is_changed or is_changed
        policy = book.policy(place.building)
        if isinstance(event, _NEEDS_HEADS):
            self._note_alarm(event, watched)
            around = replace(around, others_in_alarm=table.others_in_alarm(place))
        if watched.kind == "smoke" and heard_again(place, was_seen_at, watched, policy):
            p = policy.of("L4", l4_detector_lost.Parameters)
            book.take(l4_detector_lost.on_silence(place, stored.received_at, stored.id, p, stored.received_at), policy)
        if is_changed or watched.check_at is not None or watched.kind == "smoke":
            watched.check_at = next_check(
                place,
                watched.kind,
                watched.seen,
                last_seen_at=watched.last_seen_at,
                policy=policy,
                now=stored.received_at,
            )
        for finding in judge(
            place, event, stored.id, was=was, seen=watched.seen, around=around, policy=policy, now=stored.received_at
        ):
            book.take(finding, policy)

    @staticmethod
    def _note_alarm(event: SmokeState | FireComponent, watched: Watched) -> None:
        alarm = "fire" in event.data.states if isinstance(event, FireComponent) else watched.seen.smoke
        if alarm != watched.in_alarm:
            watched.in_alarm, watched.is_changed = alarm, True

    def _around(self, session: Session, place: Place, stored: StoredEvent, held: Credential | None) -> Around:
        """What the registry adds to an event whose rules need it."""
        event = stored.event
        if not isinstance(event, (*_NEEDS_HEADS, HelpCall)) and not (
            isinstance(event, LockAccess) and event.data.result == "granted"
        ):
            return Around(held=held)
        unit = self._registry.unit(session, place.unit) if place.unit is not None else None
        if unit is None:
            return Around(held=held)
        if isinstance(event, HelpCall):
            return Around(help_button=unit.help_button)
        if isinstance(event, LockAccess):
            at = event.observed_at
            return Around(len(unit.people_on(local_day(at))), 0, held, unit.has_booking_at(at))
        # Registered heads for rescue, as of now: not as of when a late event was seen.
        return Around(len(unit.people_on(local_day(stored.received_at))))

    def _needs_device_check(self, place: Place, watched: Watched) -> bool:
        """Whether T5 must look: at each device once for each state of the registry, until it knows the device."""
        at, was_known = self._looked_at.get(place.key, (0, False))
        # What was noted in a transaction that was rolled back does not count: the row has not come so far.
        is_noted = not watched.is_new and 0 < at <= watched.last_event_id
        return not is_noted or (not was_known and is_known(place))

    def _unknown_device(self, place: Place, stored: StoredEvent, watched: Watched, book: AlertWriter) -> None:
        book.take(unknown_device(place, stored.id, stored.received_at), book.policy(place.building))
        self._looked_at[place.key] = stored.id, is_known(place)
        watched.is_changed = True

    def leave(self, session: Session) -> None:
        """Others will go on with this database: write what was kept from it."""
        self._follower.write(session)

    def tick(self, session: Session, now: datetime) -> list[Change]:
        """What time alone brings about, and what compliance has to say of the events since the last call."""
        self._registry.refresh(session, now if self._replays else None)
        book = AlertWriter(session, self._registry, self._packs, now)
        listening = listening_since(session, now)
        if self._units.note_registry_changes(session, now):
            forget_checks(session, now)
            self._houses.look(session, book, now)
        if self._units.sweep(session, now):
            self._houses.look(session, book, now)
            look_daily(session, book, self._packs, now, self._tip)
        self._units.forget(self._follower.follow(session, now).changed)
        watch_gateways(session, self._registry, book, now, listening)
        watch_devices(session, self._registry, book, now, listening)
        if is_due(session, "never-heard", _NEVER_HEARD_EVERY, now):
            self._houses.never_heard(session, book, now)
        if is_due(session, "care", _CARE_EVERY, now):
            self._units.note_care(session, now)
        self._units.evaluate_due(session, book, now)
        late, changes = escalate(
            session, lambda code: book.policy(self._registry.building(session, code) if code else None), now
        )
        if late or book.to_notify:
            queue_alerts(session, [*book.to_notify, *late], now, night=night_of(book.policy(None)))
        return [*book.changes, *changes]


def _ref(event: AnyEvent) -> str | None:
    return event.data.credential.ref if isinstance(event, LockAccess) and event.data.credential else None


def _says_no_fire(event: AnyEvent) -> bool:
    if isinstance(event, SmokeState):
        return not event.data.alarm
    return isinstance(event, FireComponent) and "fire" not in event.data.states
