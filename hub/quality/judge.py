"""Reads what a run left in the database, and holds it against the truth."""

from datetime import datetime
from pathlib import Path

from sqlmodel import Session, select

from hub.quality.report import Quality
from hub.quality.run import Ran
from hub.quality.scoring import NightBound, Raised, calibration, score
from hub.quality.truth_file import Truth
from hub.store.database import Database
from hub.store.tables.alerts import AlertRow, NightRow


def judge(database: Database, truth: Truth, ran: Ran) -> Quality:
    """The quality of one run."""
    with database.read() as session:
        return Quality(
            truth=truth,
            ran=ran,
            scores=score(_raised(session, truth.start), truth.expected),
            belief=calibration(_nights(session, truth.start), truth),
        )


def _raised(session: Session, start: datetime) -> list[Raised]:
    return [
        Raised(
            rule=row.rule_id,
            subjects=frozenset(
                name for name in (row.unit_code, row.gateway_id, row.subject.partition(":")[2]) if name is not None
            ),
            at_s=(row.opened_at - start).total_seconds(),
        )
        for row in session.exec(select(AlertRow))
    ]


def _nights(session: Session, start: datetime) -> list[NightBound]:
    return [
        NightBound(row.place, (row.at - start).total_seconds(), row.lower, row.upper, is_usable=not row.abstained)
        for row in session.exec(select(NightRow))
    ]


def truth_path(folder: Path) -> Path:
    """Where a recording's truth lies."""
    return folder / "truth.json"
