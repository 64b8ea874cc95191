"""A database is brought to this release's tables, once, and one of a newer release is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel
from support.servers import postgres

from hub.errors import ConfigError
from hub.store.database import Database, database_url
from hub.store.migrate import migrate, open_database


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def differences(database: Database) -> list[object]:
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def test_the_migrations_make_the_tables_that_the_code_describes(tmp_path: Path) -> None:
    database = open_database(tmp_path, None)
    assert differences(database) == [], "run `make schemas`"
    database.close()


@pytest.mark.integration
def test_the_migrations_make_the_same_tables_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    database = open_database(tmp_path, postgres_url)
    assert differences(database) == []
    database.close()
    open_database(tmp_path, postgres_url).close()


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    first = open_database(tmp_path, None)
    with first.write() as session:
        session.connection().execute(text("INSERT INTO change (at, kind, subject, what) VALUES (1, 'unit', 'u', 'w')"))
    first.close()
    second = open_database(tmp_path, None)
    with second.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM change")).scalar_one() == 1
    second.close()
    assert migrate(tmp_path, None) == ("0001", "0001")


def test_a_database_of_a_newer_release_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    open_database(tmp_path, None).close()
    database = Database(database_url(tmp_path, None))
    with database.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    for attempt in (open_database, migrate):
        with pytest.raises(ConfigError, match=r"newer release .revision 9999.: install that release"):
            attempt(tmp_path, None)


@pytest.mark.integration
def test_a_postgresql_that_holds_older_tables_waits_for_migrate(tmp_path: Path, postgres_url: str) -> None:
    url = postgres_url.rsplit("/", 1)[0] + "/older"
    maintenance = Database(database_url(tmp_path, postgres_url))
    with maintenance.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE older"))
    maintenance.close()
    older = Database(database_url(tmp_path, url))
    with older.write() as session:
        session.connection().execute(text("CREATE TABLE gateways_of_old (id int)"))
    older.close()
    with pytest.raises(ConfigError, match="run `anfang-hub migrate`"):
        open_database(tmp_path, url)
    assert migrate(tmp_path, url) == (None, "0001")
    open_database(tmp_path, url).close()


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1") as caught:
        open_database(tmp_path, "postgresql://anfang:geheim@127.0.0.1:1/none")
    assert "geheim" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="give a folder"):
        open_database(tmp_path / "file" / "hub", None)
