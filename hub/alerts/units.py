"""Looks at whole units: those where something happened, those whose ledger changed, and all of them once a day."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from hub.alerts.book import AlertBook
from hub.alerts.follow import mark_due
from hub.registry.ledger import Ledger, held_at, read_rows
from hub.rules.known import UnitKnown
from hub.rules.local_time import local_day
from hub.rules.model import CannotEvaluate, Finding, Fine, Verdict
from hub.rules.on_unit import judge_unit
from hub.rules.policy import Policy
from hub.rules.seen import Night, UnitSeen, UseDay, active_at
from hub.store.tables.alerts import AlertRow, CredentialDay, DeviceWatch, NightRow, Progress, RuleVerdict, UnitDue
from hub.store.tables.registry import Credential, Occupant, Person, RegistryRevision, Unit, Welfare

USES_DAYS: Final = 62
NIGHTS_DAYS: Final = 31
_MOST_AT_ONCE: Final = 500
_CHUNK: Final = 400
_SWEEP: Final = "sweep"
_REVISION: Final = "revision"


class UnitWatch:
    """Evaluates units. One call, one transaction of the caller's."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def note_ledger(self, session: Session, now: datetime) -> bool:
        """Have the units whose ledger changed looked at. True when more than single units changed."""
        progress = session.get(Progress, _REVISION) or Progress(name=_REVISION, at=now, cursor="0")
        before = int(progress.cursor)
        if before == self._ledger.revision:
            return False
        query = select(RegistryRevision.units).where(
            col(RegistryRevision.id) > before, col(RegistryRevision.id) <= self._ledger.revision
        )
        touched = list(session.exec(query))
        everywhere = "*" in touched
        if everywhere:
            mark_due(session, list(session.exec(select(Unit.code).where(held_at(Unit, None)))), now)
        else:
            mark_due(session, {code for units in touched for code in units.split(",")}, now)
        progress.cursor, progress.at = str(self._ledger.revision), now
        session.add(progress)
        return everywhere

    def sweep(self, session: Session, now: datetime) -> bool:
        """Once a local day: have every unit looked at, for what the calendar alone changes. True on that call."""
        progress = session.get(Progress, _SWEEP)
        day = local_day(now).isoformat()
        if progress is not None and progress.cursor == day:
            return False
        progress = progress or Progress(name=_SWEEP, at=now)
        progress.cursor, progress.at = day, now
        session.add(progress)
        mark_due(session, list(session.exec(select(Unit.code).where(held_at(Unit, None)))), now)
        return True

    def note_care(self, session: Session, now: datetime) -> None:
        """Have the households that asked to be looked after looked at: silence makes no event."""
        mark_due(session, list(session.exec(select(Welfare.code).where(held_at(Welfare, None)))), now)

    def evaluate_due(self, session: Session, book: AlertBook, now: datetime) -> int:
        """Look at units that are due, the longest waiting first; returns how many."""
        codes = list(
            session.exec(select(UnitDue.unit_code).order_by(col(UnitDue.since), UnitDue.unit_code).limit(_MOST_AT_ONCE))
        )
        if not codes:
            return 0
        session.connection().execute(delete(UnitDue).where(col(UnitDue.unit_code).in_(codes)))
        self.evaluate(session, book, codes, now)
        return len(codes)

    def evaluate(self, session: Session, book: AlertBook, codes: Sequence[str], now: datetime) -> None:
        """Look at these units now."""
        units = self._ledger.units(session, codes)
        book.load_open()
        seen = seen_of(session, units, now)
        verdicts = _verdicts(session, codes)
        for code, unit in units.items():
            policy = book.policy(unit.building)
            for rule_id, verdict in judge_unit(unit, seen[code], policy, now):
                subject = f"unit:{code}"
                held = verdicts.get((rule_id, subject))
                if isinstance(verdict, CannotEvaluate):
                    _keep_verdict(session, held, rule_id=rule_id, subject=subject, verdict=verdict, now=now)
                    continue
                if held is not None:
                    session.delete(held)
                _settle(book, rule_id, subject, verdict, policy)


def settle_verdict(
    session: Session,
    book: AlertBook,
    rule_id: str,
    subject: str,
    verdict: Verdict,
    *,
    policy: Policy,
    now: datetime,
) -> None:
    """Act on what a rule said of one subject: open, join, clear, or note that it could not judge."""
    held = session.get(RuleVerdict, (rule_id, subject))
    if isinstance(verdict, CannotEvaluate):
        _keep_verdict(session, held, rule_id=rule_id, subject=subject, verdict=verdict, now=now)
        return
    if held is not None:
        session.delete(held)
    _settle(book, rule_id, subject, verdict, policy)


def _settle(book: AlertBook, rule_id: str, subject: str, verdict: Finding | Fine, policy: Policy) -> None:
    if isinstance(verdict, Finding):
        book.take(verdict, policy)
    else:
        book.clear_all(rule_id, subject)


def _verdicts(session: Session, codes: Collection[str]) -> dict[tuple[str, str], RuleVerdict]:
    subjects = [f"unit:{code}" for code in codes]
    found: dict[tuple[str, str], RuleVerdict] = {}
    for start in range(0, len(subjects), _CHUNK):
        query = select(RuleVerdict).where(col(RuleVerdict.subject).in_(subjects[start : start + _CHUNK]))
        found |= {(row.rule_id, row.subject): row for row in session.exec(query)}
    return found


def _keep_verdict(
    session: Session,
    held: RuleVerdict | None,
    *,
    rule_id: str,
    subject: str,
    verdict: CannotEvaluate,
    now: datetime,
) -> None:
    reason = verdict.reason
    if held is None:
        session.add(RuleVerdict(rule_id=rule_id, subject=subject, at=now, reason_zh=reason.zh, reason_en=reason.en))
    elif (held.reason_zh, held.reason_en) != (reason.zh, reason.en):
        held.reason_zh, held.reason_en, held.at = reason.zh, reason.en, now
        session.add(held)


def dark_gateways(session: Session) -> set[str]:
    """Gateways that are silent now."""
    query = select(AlertRow.gateway_id).where(
        AlertRow.rule_id == "T1", col(AlertRow.resolved_at).is_(None), col(AlertRow.is_active)
    )
    return {gateway for gateway in session.exec(query) if gateway is not None}


def seen_of(session: Session, units: dict[str, UnitKnown], now: datetime) -> dict[str, UnitSeen]:
    """What was seen of units, read in bulk."""
    dark = dark_gateways(session)
    since = local_day(now) - timedelta(days=USES_DAYS)
    nights_since = local_day(now) - timedelta(days=NIGHTS_DAYS)
    uses: dict[str, list[UseDay]] = defaultdict(list)
    nights: dict[str, list[Night]] = defaultdict(list)
    devices: dict[str, list[DeviceWatch]] = defaultdict(list)
    codes = sorted(units)
    for start in range(0, len(codes), _CHUNK):
        chunk = codes[start : start + _CHUNK]
        for use in session.exec(
            select(CredentialDay)
            .where(col(CredentialDay.unit_code).in_(chunk), col(CredentialDay.day) >= since)
            .order_by(col(CredentialDay.day), CredentialDay.ref)
        ):
            uses[use.unit_code].append(_use(use))
        for night in session.exec(
            select(NightRow)
            .where(col(NightRow.place).in_(chunk), col(NightRow.night) >= nights_since)
            .order_by(col(NightRow.night))
        ):
            nights[night.place].append(_night(night))
        for device in session.exec(select(DeviceWatch).where(col(DeviceWatch.unit_code).in_(chunk))):
            devices[device.unit_code or ""].append(device)
    strange = {use.ref for unit in units.values() for use in uses[unit.code]}
    strange -= {held.ref for unit in units.values() for held in unit.credentials}
    named = _named(session, strange)
    double = _double(session, units, local_day(now))
    return {
        code: replace(
            _seen(unit, uses[code], nights[code], devices[code], dark),
            named_elsewhere=frozenset(use.ref for use in uses[code] if use.ref in named),
            elsewhere=double.get(code, {}),
        )
        for code, unit in units.items()
    }


def _named(session: Session, refs: Collection[str]) -> set[str]:
    """Those of these credentials that the ledger has bound to somebody, or to the staff."""
    rows = read_rows(session, Credential, None, Credential.code, refs)
    return {row.code for row in rows if row.person_code is not None or row.purpose in {"staff", "master"}}


def _double(session: Session, units: Mapping[str, UnitKnown], day: date) -> dict[str, dict[str, str]]:
    """Unit -> person -> another unit in which the same person, or the same document, lives on that day."""
    people = {o.person.code for unit in units.values() for o in unit.people_on(day)}
    documents = {
        row.code: row.document_index
        for row in read_rows(session, Person, None, Person.code, people)
        if row.document_index is not None
    }
    same: dict[str, set[str]] = defaultdict(set)
    for row in read_rows(session, Person, None, Person.document_index, set(documents.values())):
        same[row.document_index or ""].add(row.code)
    alike = {code: same[documents[code]] | {code} if code in documents else {code} for code in people}
    homes: dict[str, set[str]] = defaultdict(set)
    everybody = {code for codes in alike.values() for code in codes}
    for home in read_rows(session, Occupant, None, Occupant.person_code, everybody):
        if home.role != "guest" and home.from_on <= day and (home.to_on is None or day <= home.to_on):
            homes[home.person_code].add(home.unit_code)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for code, unit in units.items():
        for occupant in unit.people_on(day):
            person = occupant.person.code
            others = {unit_code for other in alike[person] for unit_code in homes[other]} - {code}
            if others and occupant.role != "guest":
                found[code][person] = min(others)
            elif len(alike[person] & {o.person.code for o in unit.people_on(day)}) > 1:
                found[code][person] = code
    return found


def _seen(
    unit: UnitKnown, uses: list[UseDay], nights: list[Night], devices: list[DeviceWatch], dark: set[str]
) -> UnitSeen:
    locks = [device for device in devices if device.kind in {"lock", "reader"}]
    placed = [device for device in unit.devices if device.kind in {"lock", "reader"}]
    gateways = {device.gateway_id for device in devices} | {device.gateway for device in unit.devices}
    last_use: dict[str, datetime] = {}
    for use in uses:
        if use.opens:
            last_use[use.ref] = max(use.last_at, last_use.get(use.ref, use.last_at))
    activity = [use.last_at for use in uses if use.opens]
    activity += [at for device in devices if (at := active_at(device.state)) is not None]
    return UnitSeen(
        uses=tuple(uses),
        last_use=last_use,
        nights=tuple(nights),
        last_activity_at=max(activity, default=None),
        has_lock=bool(locks or placed),
        lock_since=min((device.first_seen_at for device in locks), default=None),
        lock_seen_at=max((device.last_seen_at for device in locks), default=None),
        is_dark=bool(gateways & dark),
    )


def _use(row: CredentialDay) -> UseDay:
    return UseDay(
        row.ref,
        row.day,
        row.opens,
        row.denied,
        row.outside_booking,
        row.first_event_id,
        row.last_event_id,
        row.last_at,
    )


def _night(row: NightRow) -> Night:
    return Night(
        row.night,
        row.at,
        row.mean,
        row.lower,
        row.upper,
        row.sigma,
        row.coverage,
        row.abstained,
        row.crossings,
    )
