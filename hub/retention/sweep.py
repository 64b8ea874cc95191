"""The sweep: takes away what is over its time, a little at a time, so that nobody who writes has to wait for it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, and_, delete, or_
from sqlmodel import Session, SQLModel, col, func, select

from hub.domain.local_time import local_day
from hub.registry.personal_data.erasure import drop_ended_leases, forget, moved_out, purge_day
from hub.retention import events
from hub.retention.schedule import Period, Schedule
from hub.retention.settings import holds, schedule_of
from hub.store.audit import Audited, append_audit, cut_audit
from hub.store.database import Database
from hub.store.tables.alerts import AlertAction, AlertEvidence, AlertRow, CredentialDay, NightRow, Notification
from hub.store.tables.authority import AuthorityRequest
from hub.store.tables.household import HouseholdRequest
from hub.store.tables.ingest import CommandRow, EventRow, RejectedBatch
from hub.store.tables.retention import PurgeRun
from wire.clock import Clock

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(days=1)
_ACTOR: Final = "system"
_AT_ONCE: Final = 500
_KEEP_RUNS: Final = 400


class Sweeper:
    """Sweeps once a day; `sweep_if_due` may be called as often as one likes."""

    def __init__(self, database: Database, clock: Clock, *, at_once: int = _AT_ONCE) -> None:
        self._database = database
        self._clock = clock
        self._at_once = at_once

    def sweep_if_due(self) -> PurgeRun | None:
        """Sweep when the last sweep began a day ago or there was none."""
        with self._database.read() as session:
            last = session.exec(select(func.max(PurgeRun.began_at))).one()
        if last is not None and self._clock.now() - last < EVERY:
            return None
        return self.sweep()

    def sweep(self) -> PurgeRun:
        """Take away what is over its time now; the report, which is stored and audited."""
        now = self._clock.now()
        with self._database.read() as session:
            schedule = schedule_of(session)
            held = {row.unit_code for row in holds(session, now)}
        taken = {
            "events_deleted": self._events(events.is_over(schedule, now), held, self._delete),
            "doors_unnamed": self._events(events.names_a_credential(schedule, now), held, self._unname),
            "counts_merged_to_quarters": self._events(
                events.is_too_fine(schedule, now, events.QUARTER), held, _merging(events.QUARTER)
            ),
            "counts_merged_to_days": self._events(
                events.is_too_fine(schedule, now, events.DAY), held, _merging(events.DAY)
            ),
            "alerts_deleted": self._alerts(schedule, now, held),
            "people_forgotten": self._people(schedule, now, held),
            "leases_deleted": self._leases(schedule, now, held),
            **self._plain_tables(schedule, now, held),
        }
        with self._database.write() as session:
            taken["audit_lines_deleted"] = cut_audit(session, schedule.cutoff(Period.AUDIT, now))
            run = PurgeRun(began_at=now, ended_at=self._clock.now(), taken=taken)
            session.add(run)
            session.flush()
            old = select(PurgeRun.id).order_by(col(PurgeRun.id).desc()).offset(_KEEP_RUNS).limit(1)
            session.connection().execute(
                delete(PurgeRun).where(col(PurgeRun.id) <= func.coalesce(old.scalar_subquery(), 0))
            )
            if any(taken.values()):
                words = ", ".join(f"{name} {count}" for name, count in taken.items() if count)
                append_audit(session, Audited(_ACTOR, "", "retention.sweep", str(run.id), detail=words), now)
        log.info("retention.swept", **taken)
        return run

    # -- inside ---------------------------------------------------------------------------------------------------

    def _events(
        self,
        what: ColumnElement[bool],
        held: Collection[str],
        act: Callable[[Session, Sequence[EventRow]], None],
    ) -> int:
        """Found by readers, changed in short transactions; how many were looked at."""
        after = count = 0
        while True:
            with self._database.read() as session:
                rows = events.find(session, what, held, after, self._at_once)
            if not rows:
                return count
            with self._database.write() as session:
                act(session, rows)
            after = rows[-1].id or 0
            count += len(rows)

    @staticmethod
    def _delete(session: Session, rows: Sequence[EventRow]) -> None:
        events.delete_events(session, [row.id or 0 for row in rows])

    @staticmethod
    def _unname(session: Session, rows: Sequence[EventRow]) -> None:
        events.unname(session, rows)

    def _alerts(self, schedule: Schedule, now: datetime, held: Collection[str]) -> int:
        def settled_before(period: Period, *which: ColumnElement[bool]) -> ColumnElement[bool]:
            return and_(col(AlertRow.resolved_at) < schedule.cutoff(period, now), *which)

        is_life, is_false = col(AlertRow.alert_class) == "L", col(AlertRow.outcome) == "false"
        over = or_(
            settled_before(Period.ALERTS_LIFE, is_life),
            settled_before(Period.ALERTS_FALSE, ~is_life, is_false),
            settled_before(Period.ALERTS_CLOSED, ~is_life),
        )
        query = select(AlertRow.id).where(over)
        if held:
            query = query.where(or_(col(AlertRow.unit_code).is_(None), col(AlertRow.unit_code).not_in(list(held))))
        count = 0
        while True:
            with self._database.write() as session:
                ids = session.exec(query.order_by(col(AlertRow.id)).limit(self._at_once)).all()
                if not ids:
                    return count
                connection = session.connection()
                for table in (AlertEvidence, AlertAction, Notification):
                    connection.execute(delete(table).where(col(table.alert_id).in_(ids)))
                connection.execute(delete(AlertRow).where(col(AlertRow.id).in_(ids)))
            count += len(ids)

    def _people(self, schedule: Schedule, now: datetime, held: Collection[str]) -> int:
        before = purge_day(now, schedule.days[Period.MOVED_OUT])
        with self._database.read() as session:
            people = moved_out(session, before, held)
        count = 0
        for start in range(0, len(people), self._at_once):
            with self._database.write() as session:
                count += forget(session, people[start : start + self._at_once], now, _ACTOR)
        return count

    def _leases(self, schedule: Schedule, now: datetime, held: Collection[str]) -> int:
        before = purge_day(now, schedule.days[Period.LEASE_CORE])
        count = 0
        while True:
            with self._database.write() as session:
                gone = drop_ended_leases(session, before, held, self._at_once)
            if gone == 0:
                return count
            count += gone

    def _plain_tables(self, schedule: Schedule, now: datetime, held: Collection[str]) -> dict[str, int]:
        """Tables whose old rows just go."""
        door_day = local_day(schedule.cutoff(Period.DOORS_NAMED, now))
        night = local_day(schedule.cutoff(Period.COUNTS_DAILY, now))
        sent = schedule.cutoff(Period.MESSAGES, now)
        steps: tuple[tuple[str, type[SQLModel], ColumnElement[bool]], ...] = (
            (
                "credential_days_deleted",
                CredentialDay,
                and_(col(CredentialDay.day) < door_day, col(CredentialDay.unit_code).not_in(list(held))),
            ),
            ("nights_deleted", NightRow, and_(col(NightRow.night) < night, col(NightRow.place).not_in(list(held)))),
            (
                "requests_deleted",
                HouseholdRequest,
                and_(
                    col(HouseholdRequest.answered_at) < schedule.cutoff(Period.AUDIT, now),
                    col(HouseholdRequest.unit_code).not_in(list(held)),
                ),
            ),
            (
                "authority_requests_deleted",
                AuthorityRequest,
                and_(
                    col(AuthorityRequest.decided_at) < schedule.cutoff(Period.AUDIT, now),
                    or_(
                        col(AuthorityRequest.unit_code).is_(None),
                        col(AuthorityRequest.unit_code).not_in(list(held)),
                    ),
                ),
            ),
            (
                "rejected_deleted",
                RejectedBatch,
                col(RejectedBatch.last_received_at) < schedule.cutoff(Period.REJECTED, now),
            ),
            (
                "messages_deleted",
                Notification,
                and_(col(Notification.created_at) < sent, col(Notification.state) != "waiting"),
            ),
            (
                "commands_deleted",
                CommandRow,
                and_(col(CommandRow.expires_at) < sent, col(CommandRow.state).not_in(["waiting", "sent"])),
            ),
        )
        taken: dict[str, int] = {}
        for name, table, which in steps:
            with self._database.write() as session:
                taken[name] = session.connection().execute(delete(table).where(which)).rowcount
        return taken


def _merging(window: timedelta) -> Callable[[Session, Sequence[EventRow]], None]:
    def act(session: Session, rows: Sequence[EventRow]) -> None:
        events.merge(session, rows, window)

    return act
