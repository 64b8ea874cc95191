"""Reads what a run left in the database, and holds it against the truth."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from hub.domain.subject import AlertClass
from hub.occupancy import interval_90
from hub.quality.report import Quality
from hub.quality.run import Ran
from hub.quality.scoring import NightBound, Raised, calibration, score
from hub.quality.truth_file import Truth
from hub.store.database import Database
from hub.store.tables.alerts import AlertAction, AlertEvidence, AlertRow, NightRow

_JOINED = (AlertClass.LIFE, AlertClass.SECURITY)


def judge(database: Database, truth: Truth, ran: Ran) -> Quality:
    """The quality of one run."""
    with database.read() as session:
        return Quality(
            truth=truth,
            ran=ran,
            scores=score(_raised(session, truth.start), truth.expected, ran.step_s),
            belief=calibration(_nights(session, truth.start), truth),
        )


def _raised(session: Session, start: datetime) -> list[Raised]:
    again: dict[int, list[float]] = defaultdict(list)
    for action in session.exec(select(AlertAction).where(AlertAction.action == "return")):
        again[action.alert_id].append((action.at - start).total_seconds())
    joined: dict[int, list[float]] = defaultdict(list)
    query = select(AlertEvidence).join(AlertRow, col(AlertRow.id) == col(AlertEvidence.alert_id))
    for piece in session.exec(query.where(col(AlertRow.alert_class).in_(_JOINED), AlertEvidence.kind == "event")):
        joined[piece.alert_id].append((piece.at - start).total_seconds())
    return [
        Raised(
            rule=row.rule_id,
            subjects=frozenset(
                name for name in (row.unit_code, row.gateway_id, row.subject.partition(":")[2]) if name is not None
            ),
            at_s=(row.opened_at - start).total_seconds(),
            again_s=tuple(again[row.id or 0]),
            joined_s=tuple(joined[row.id or 0]),
        )
        for row in session.exec(select(AlertRow))
    ]


def _nights(session: Session, start: datetime) -> list[NightBound]:
    return [
        NightBound(
            row.place,
            (row.at - start).total_seconds(),
            *interval_90(row.mean, row.sigma),
            is_usable=not row.abstained,
        )
        for row in session.exec(select(NightRow))
    ]


def truth_path(folder: Path) -> Path:
    """Where a recording's truth lies."""
    return folder / "truth.json"
