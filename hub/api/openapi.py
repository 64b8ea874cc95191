"""Writes the API's OpenAPI document for the web pages' client: `python -m hub.api.openapi [--check]`."""

import json
import sys
from pathlib import Path

from hub.api.app import create_app
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.services import Services
from hub.store.database import Database
from wire.clock import SystemClock

TARGET = Path(__file__).resolve().parent.parent / "web" / "src" / "api" / "openapi.json"


def document() -> str:
    """The document as text, the same for every run."""
    database = Database("sqlite+pysqlite://")
    try:
        app = create_app(Services(database, SystemClock(), ChangeFeed(), Path()))
        return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    finally:
        database.close()


def main() -> None:
    """Write the document, or with --check exit 1 when the one that is there is another."""
    text = document()
    if "--check" in sys.argv[1:]:
        if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != text:
            sys.exit(f"{TARGET.name} is out of date: run `make client`")
        return
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
