"""One writer at a time, between threads and between processes."""

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.store.database import Database, database_url

WRITER = """
import sys
from pathlib import Path
from sqlalchemy import text
from hub.store.database import Database, database_url

database = Database(database_url(Path(sys.argv[1]), None))
for n in range(int(sys.argv[3])):
    with database.write() as session:
        # So small a log that nearly every commit makes a checkpoint.
        session.connection().execute(text("PRAGMA wal_autocheckpoint=2"))
        session.connection().execute(text("INSERT INTO t VALUES (:who, :n, zeroblob(9000))"), {"who": sys.argv[2], "n": n})
database.close()
"""


def is_locked(folder: Path) -> bool:
    with (folder / "hub.db-writing").open("w") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(database_url(tmp_path, None))
    with made.write() as session:
        session.connection().execute(text("CREATE TABLE t (who TEXT, n INTEGER, body BLOB)"))
    return made


def test_the_lock_is_held_exactly_while_somebody_writes(tmp_path: Path, database: Database) -> None:
    assert not is_locked(tmp_path)
    with database.write() as session:
        session.connection().execute(text("INSERT INTO t VALUES ('a', 1, '')"))
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    with pytest.raises(ZeroDivisionError), database.write():
        raise ZeroDivisionError
    assert not is_locked(tmp_path)
    with database.read() as session:
        session.connection().execute(text("SELECT 1"))
        assert not is_locked(tmp_path)
    database.close()
    database.close()


@pytest.mark.integration
def test_two_processes_and_a_thread_write_at_once_and_nothing_is_lost(tmp_path: Path, database: Database) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), who, "40"], stderr=subprocess.PIPE, text=True)
        for who in ("b", "c")
    ]

    def here() -> None:
        for n in range(40):
            with database.write() as session:
                session.connection().execute(text("INSERT INTO t VALUES ('a', :n, zeroblob(9000))"), {"n": n})

    thread = threading.Thread(target=here)
    thread.start()
    thread.join()
    for other in others:
        _, said = other.communicate(timeout=100)
        assert other.returncode == 0, said
    with database.read() as session:
        counts = session.connection().execute(text("SELECT who, count(*) FROM t GROUP BY who ORDER BY who")).all()
        assert [tuple(row) for row in counts] == [("a", 40), ("b", 40), ("c", 40)]
        assert session.connection().execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()
