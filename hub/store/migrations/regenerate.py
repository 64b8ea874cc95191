"""Writes revision 0001 from the tables as they are: until the first release there is one revision, always whole.

`python -m hub.store.migrations.regenerate` writes it, with `--check` it fails when it is not current. After the release
this module goes, and a change of tables is a new revision.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from hub.store import tables

TARGET = Path(__file__).parent / "versions" / "0001_first.py"

_PAGE = '''"""The tables of the first release. Written by `python -m hub.store.migrations.regenerate`."""

import sqlalchemy as sa
from alembic import op

import hub.store.base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def page() -> str:
    """The revision's source."""
    assert tables.__all__
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/empty.db")
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"target_metadata": SQLModel.metadata})
            script = produce_migrations(context, SQLModel.metadata)
            assert script.upgrade_ops is not None
            assert script.downgrade_ops is not None
            up, down = (
                render_python_code(ops, user_module_prefix="hub.store.base.", migration_context=context)
                for ops in (script.upgrade_ops, script.downgrade_ops)
            )
        engine.dispose()
    return _PAGE.format(upgrade=_plain(up), downgrade=_plain(down))


def _plain(code: str) -> str:
    lines = (line for line in code.splitlines() if not line.strip().startswith("# ###"))
    return "\n".join(lines).strip().replace("hub.store.base.AutoString", "sa.String")


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` only say whether it is current."""
    command = [str(Path(sys.executable).with_name("ruff")), "format", "--stdin-filename", str(TARGET), "-"]
    text = subprocess.run(command, input=page(), capture_output=True, text=True, check=True).stdout
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") != text:
        print(f"{TARGET.name} does not have the tables as they are: run `make schemas`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
