"""Writes `wire/schema/*.json`, the contract for everyone who does not use this package.

`python -m wire.json_schema` writes them, `python -m wire.json_schema --check` fails when they are not current.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from wire.events import EVENT_TYPES, KnownEvent
from wire.messages import Ack, Batch, Command, Reply, Status

FOLDER = Path(__file__).parent / "schema"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema (draft 2020-12)."""
    found: dict[str, dict[str, Any]] = {"event.json": msgspec.json.schema(KnownEvent)}
    for message in (Ack, Status, Command, Reply):
        found[f"{message.__name__.lower()}.json"] = msgspec.json.schema(message)
    batch = msgspec.json.schema(Batch)
    batch["$defs"]["Batch"]["properties"]["events"]["items"] = {
        "anyOf": [
            {"$ref": "event.json"},
            {
                "description": "an event of a kind that this release does not know: stored, shown as unknown",
                "type": "object",
                "required": ["observed_at", "device", "kind"],
                "properties": {"kind": {"type": "string", "not": {"enum": sorted(EVENT_TYPES)}}},
            },
        ]
    }
    found["batch.json"] = batch
    return {name: {"$schema": _DIALECT, "$id": name, **schema} for name, schema in sorted(found.items())}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` compare them. Returns the exit status."""
    stale = []
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote wire/schema/{name}")
    if stale:
        print(f"wire/schema: {', '.join(stale)} not current; run `make schemas`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
