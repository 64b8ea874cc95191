"""A trail that was shortened at its end shows, though its chain is whole."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import delete, update

from hub.store.audit import Audited, append_audit, broken_links, cut_audit
from hub.store.audit_tip import AuditTip
from hub.store.database import Database
from hub.store.migrate import open_database
from hub.store.tables.access import AuditEntry

NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)


@pytest.fixture
def trail(tmp_path: Path) -> Database:
    """Five lines, one an hour."""
    database = open_database(tmp_path, None)
    with database.write() as session:
        for hour in range(5):
            append_audit(session, Audited("cli", "admin", "test", str(hour)), NOW + timedelta(hours=hour))
        AuditTip(tmp_path).remember(session, NOW + timedelta(hours=5))
    return database


def lost(database: Database, folder: Path) -> int | None:
    with database.read() as session:
        assert list(broken_links(session)) == []
        return AuditTip(folder).lost(session)


def test_a_trail_that_grew_is_well_and_a_shortened_one_is_not(trail: Database, tmp_path: Path) -> None:
    try:
        assert lost(trail, tmp_path) is None
        with trail.write() as session:
            append_audit(session, Audited("cli", "admin", "more"), NOW + timedelta(hours=6))
        assert lost(trail, tmp_path) is None
        with trail.write() as session:
            session.exec(delete(AuditEntry).where(AuditEntry.id >= 4))
        assert lost(trail, tmp_path) == 5
        with trail.write() as session:
            for hour in (3, 4):
                append_audit(session, Audited("cli", "admin", "forged", str(hour)), NOW + timedelta(hours=hour))
        assert lost(trail, tmp_path) == 5, "other words under the same number"
        with trail.write() as session:
            session.exec(delete(AuditEntry))
        assert lost(trail, tmp_path) == 5
    finally:
        trail.close()


def test_the_oldest_part_goes_in_its_time_without_an_alarm(trail: Database, tmp_path: Path) -> None:
    try:
        with trail.write() as session:
            append_audit(session, Audited("cli", "admin", "later"), NOW + timedelta(days=9))
            assert cut_audit(session, NOW + timedelta(days=1)) == 5
        assert lost(trail, tmp_path) is None
    finally:
        trail.close()


def test_what_may_never_be_committed_is_not_remembered(trail: Database, tmp_path: Path) -> None:
    try:
        later = NOW + timedelta(hours=8)
        with trail.write() as session:
            append_audit(session, Audited("cli", "admin", "just now"), later)
            AuditTip(tmp_path).remember(session, later)
            session.rollback()
        assert lost(trail, tmp_path) is None
    finally:
        trail.close()


def test_a_file_that_somebody_wrote_into_is_told(trail: Database, tmp_path: Path) -> None:
    try:
        (tmp_path / "audit.tip").write_text("{", encoding="ascii")
        assert lost(trail, tmp_path) == 0
        (tmp_path / "audit.tip").unlink()
        assert lost(trail, tmp_path) is None
        with trail.write() as session:
            session.exec(update(AuditEntry).where(AuditEntry.id == 2).values(actor="x"))
        with trail.read() as session:
            assert list(broken_links(session)) == [2]
    finally:
        trail.close()
