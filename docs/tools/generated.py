"""Writes a generated page, or says that it is not current."""

import sys
from pathlib import Path

from commands import ROOT


def keep(page: Path, text: str, arguments: list[str]) -> int:
    """Write `text` to `page` (from the root), or with `--check` only compare. Returns the exit status."""
    path = ROOT / page
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{page} is not current; run `make docs`\n")
        return 1
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {page}\n")
    return 0
