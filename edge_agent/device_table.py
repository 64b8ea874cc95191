"""Writes `docs/reference/devices.md`, the table of devices, from the profiles.

`python -m edge_agent.device_table` writes it, `--check` fails when it is not current.
"""

import sys
from pathlib import Path
from typing import Final

from firmware_profiles.loader import load_profile, shipped_profiles
from firmware_profiles.model import Profile

PATH: Final = Path(__file__).parents[1] / "docs" / "reference" / "devices.md"
_HEAD: Final = """\
# Devices

Generated from `firmware_profiles/devices` by `make schemas`; do not edit. What is not here is added with
[a file of forty lines](../howto/add-a-device.md). *Reports* are the kinds of event, *commands* what the gateway can
ask.

"""


def table() -> str:
    """The page."""
    rows = ["| vendor, model | profile | spoken to by | reports | commands | source |", "|---|---|---|---|---|---|"]
    found = [(load_profile(path), name) for name, path in shipped_profiles().items()]
    for profile, name in sorted(found, key=lambda item: (item[0].family, item[0].vendor.lower(), item[1])):
        rows.append(_row(profile, name))
    return f"{_HEAD}{len(found)} profiles.\n\n" + "\n".join(rows) + "\n"


def _row(profile: Profile, name: str) -> str:
    others = "".join(f"<br>{other.vendor} {other.model}" for other in profile.also_applies_to)
    kinds = ", ".join(sorted({rule.kind for rule in profile.events}))
    commands = ", ".join(sorted(profile.commands)) or "—"
    title = f"<br>*{profile.title}*" if profile.title else ""
    cells = (
        f"**{profile.vendor} {profile.model}**{title}{others}", f"`{name}`", profile.transport.kind, kinds, commands,
        profile.source,
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it. Returns the exit status."""
    text = table()
    is_current = PATH.exists() and PATH.read_text(encoding="utf-8") == text
    if "--check" in arguments:
        if not is_current:
            sys.stderr.write("docs/reference/devices.md is not current; run `make schemas`\n")
        return 0 if is_current else 1
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
