"""Backups: made while somebody writes, opened by another program of the same format, put back whole or not at all."""

import shutil
import sqlite3
import subprocess
import tarfile
from pathlib import Path

import pytest
from sqlmodel import select
from support.servers import postgres

from hub.errors import ConfigError
from hub.registry.personal_data.vault import load_vault
from hub.store import backup
from hub.store.audit import Audited, append_audit, broken_links
from hub.store.database import database_url
from hub.store.migrate import open_database
from hub.store.tables.access import AuditEntry
from wire.clock import SystemClock


@pytest.fixture
def hub_dir(tmp_path: Path) -> Path:
    """A data folder with an audit trail of three lines, and settings."""
    folder = tmp_path / "hub"
    database = open_database(folder, None)
    load_vault(folder)
    for number in range(3):
        with database.write() as session:
            append_audit(session, Audited("cli", "admin", "test", str(number)), SystemClock().now())
    database.close()
    (folder / "hub.toml").write_text("[http]\n", encoding="utf-8")
    return folder


def subjects(folder: Path) -> list[str]:
    database = open_database(folder, None)
    try:
        with database.read() as session:
            assert list(broken_links(session)) == []
            return [row.subject for row in session.exec(select(AuditEntry).order_by(AuditEntry.id))]
    finally:
        database.close()


def test_a_backup_is_put_back_with_its_keys_and_settings(hub_dir: Path, tmp_path: Path) -> None:
    recipient = backup.new_identity(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    inside = backup.create(hub_dir, database_url(hub_dir, None), recipient, tmp_path / "b.age")
    assert set(inside) == {"hub.db", "registry.key", "hub.toml"}
    assert (tmp_path / "b.age").stat().st_mode & 0o777 == 0o600
    backup.restore(tmp_path / "b.age", tmp_path / "key", tmp_path / "new")
    assert subjects(tmp_path / "new") == ["0", "1", "2"]
    assert (tmp_path / "new/registry.key").read_text() == (hub_dir / "registry.key").read_text()
    assert sorted(file.name for file in (tmp_path / "new").iterdir() if file.name.startswith(".backup")) == []


def test_what_somebody_is_writing_is_in_the_next_backup_and_breaks_none(hub_dir: Path, tmp_path: Path) -> None:
    recipient = backup.new_identity(tmp_path / "key")
    database = open_database(hub_dir, None)
    try:
        with database.write() as session:
            append_audit(session, Audited("cli", "admin", "test", "open"), SystemClock().now())
            backup.create(hub_dir, database_url(hub_dir, None), recipient, tmp_path / "during.age")
        backup.create(hub_dir, database_url(hub_dir, None), recipient, tmp_path / "after.age")
    finally:
        database.close()
    for name in ("during", "after"):
        backup.restore(tmp_path / f"{name}.age", tmp_path / "key", tmp_path / name)
    assert subjects(tmp_path / "during") == ["0", "1", "2"]
    assert subjects(tmp_path / "after") == ["0", "1", "2", "open"]


def test_the_program_age_opens_it_and_nobody_reads_it_without_the_key(hub_dir: Path, tmp_path: Path) -> None:
    if shutil.which("age") is None:
        pytest.fail("age is missing: `make packages` installs Debian's age")
    recipient = backup.new_identity(tmp_path / "key")
    backup.create(hub_dir, database_url(hub_dir, None), recipient, tmp_path / "b.age")
    plain = tmp_path / "b.tar"
    subprocess.run(["age", "--decrypt", "-i", tmp_path / "key", "-o", plain, tmp_path / "b.age"], check=True)
    with tarfile.open(plain) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    with sqlite3.connect(tmp_path / "out/hub.db") as database:
        assert database.execute("SELECT count(*) FROM audit_entry").fetchone() == (3,)
    sealed = (tmp_path / "b.age").read_bytes()
    secret = (hub_dir / "registry.key").read_text().split()[1]
    assert secret.encode() not in sealed
    assert b"SQLite format 3" not in sealed


def test_another_key_a_cut_file_and_a_full_folder_are_refused_and_leave_nothing(hub_dir: Path, tmp_path: Path) -> None:
    recipient = backup.new_identity(tmp_path / "key")
    backup.new_identity(tmp_path / "other")
    out = tmp_path / "b.age"
    backup.create(hub_dir, database_url(hub_dir, None), recipient, out)
    (tmp_path / "cut.age").write_bytes(out.read_bytes()[:-40])
    for file, key in ((out, "other"), (tmp_path / "cut.age", "key"), (tmp_path / "key", "key")):
        with pytest.raises(ConfigError, match="cannot be opened"):
            backup.restore(file, tmp_path / key, tmp_path / "new")
        assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(ConfigError, match=r"holds registry\.key already"):
        backup.restore(out, tmp_path / "key", hub_dir)
    with pytest.raises(ConfigError, match="never overwritten"):
        backup.create(hub_dir, database_url(hub_dir, None), recipient, out)
    with pytest.raises(ConfigError, match="never overwritten"):
        backup.new_identity(tmp_path / "key")
    with pytest.raises(ConfigError, match="not an age recipient"):
        backup.create(hub_dir, database_url(hub_dir, None), "age1nonsense", tmp_path / "c.age")
    with pytest.raises(ConfigError, match="holds no key"):
        backup.restore(out, hub_dir / "hub.toml", tmp_path / "new2")


@pytest.mark.integration
def test_postgresql_is_dumped_by_its_own_program(tmp_path: Path) -> None:
    with postgres(tmp_path / "pg") as url:
        folder = tmp_path / "hub"
        database = open_database(folder, url)
        vault = load_vault(folder)
        with database.write() as session:
            append_audit(session, Audited("cli", "admin", "test", "pg"), SystemClock().now())
        database.close()
        assert vault is not None
        recipient = backup.new_identity(tmp_path / "key")
        inside = backup.create(folder, database_url(folder, url), recipient, tmp_path / "b.age")
        assert backup.DUMP in inside
        backup.restore(tmp_path / "b.age", tmp_path / "key", tmp_path / "new")
        listed = subprocess.run(
            ["pg_restore", "--list", tmp_path / "new" / backup.DUMP], capture_output=True, text=True, check=True
        )
        assert "audit_entry" in listed.stdout
