"""A new key for what is sealed: everything opens as before, equal values are still found, a run that stops goes on."""

from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from hub.registry.personal_data import key_rotation as module
from hub.registry.personal_data.key_rotation import SEALED, rekey
from hub.registry.personal_data.vault import load_vault
from hub.registry.yaml_import.seed_file import load_text
from hub.runtime.organisation_key import organisation_key
from hub.store import tables
from hub.store.migrate import open_database
from hub.store.tables.alerts import Recipient
from hub.store.tables.registry import PersonRow
from wire.clock import SystemClock

assert tables

REGISTRY = """
registry: 1
scopes: [{code: E1, kind: estate, name: 小区}]
buildings: [{code: E1-1, name: 一号楼, scope: E1}]
people:
  - {code: p1, name: 张三, phone: "13800001234"}
  - {code: p2, name: 李四}
units: [{code: E1-1-101, building: E1-1}]
"""


def opened(folder: Path) -> dict[str, tuple[str | None, str | None]]:
    vault = load_vault(folder)
    database = open_database(folder, None)
    try:
        with database.read() as session:
            return {
                row.code: (
                    row.name_sealed and vault.open("name", row.name_sealed),
                    row.phone_sealed and vault.open("phone", row.phone_sealed),
                )
                for row in session.exec(select(PersonRow))
            }
    finally:
        database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two people and somebody who is told."""
    database = open_database(tmp_path, None)
    vault = load_vault(tmp_path)
    with database.write() as session:
        load_text(
            session,
            REGISTRY,
            "x.yaml",
            vault=vault,
            organisation_key=organisation_key(tmp_path),
            now=SystemClock().now(),
            by="test",
        )
        session.add(Recipient(name="wang", channel_sealed=vault.seal("channel", "json://127.0.0.1:9/secret")))
    database.close()
    return tmp_path


def test_everything_is_sealed_again_and_the_old_key_goes(folder: Path) -> None:
    before = opened(folder)
    indexes = load_vault(folder).index("name", "张三")
    database = open_database(folder, None)
    try:
        assert rekey(database, folder) == 4
        assert rekey(database, folder) == 4
        with database.read() as session:
            assert {row.channel_sealed.partition(":")[0] for row in session.exec(select(Recipient))} == {"k3"}
    finally:
        database.close()
    assert opened(folder) == before
    assert before["p1"] == ("张三", "13800001234")
    # The oldest stays for the indexes; nothing is sealed under it.
    assert [line.split()[0] for line in (folder / "registry.key").read_text().splitlines()] == ["k3", "k1"]
    assert load_vault(folder).index("name", "张三") == indexes


def test_a_run_that_was_cut_off_loses_nothing_and_is_gone_on_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opened(folder)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    kept = module._reseal

    def cut(*arguments: object) -> int:
        if arguments[3] == "phone_sealed":
            raise KeyboardInterrupt
        return kept(*arguments)  # type: ignore[arg-type]

    database = open_database(folder, None)
    try:
        with monkeypatch.context() as broken:
            broken.setattr(module, "_reseal", cut)
            with pytest.raises(KeyboardInterrupt):
                rekey(database, folder)
        assert opened(folder) == before
        rekey(database, folder)
    finally:
        database.close()
    assert opened(folder) == before


def test_no_sealed_column_is_forgotten() -> None:
    known = {(table.__tablename__, column) for table, column, _ in SEALED}
    found = {
        (table.name, column.name)
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert found == known
