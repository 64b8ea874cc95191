"""Writes `firmware_profiles/schema.json` for editors.

`python -m firmware_profiles.json_schema` writes it, `--check` fails when it is not current.
"""

import json
import sys
from pathlib import Path
from typing import Final

from firmware_profiles.model import Profile

PATH: Final = Path(__file__).parent / "schema.json"


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of a profile."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "anfang-device-profile.json"}
    return json.dumps(schema | Profile.model_json_schema(by_alias=True), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` compare it. Returns the exit status."""
    is_current = PATH.exists() and PATH.read_text(encoding="utf-8") == schema_text()
    if "--check" in arguments:
        if not is_current:
            sys.stderr.write("firmware_profiles/schema.json is not current; run `make schemas`\n")
        return 0 if is_current else 1
    PATH.write_text(schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
