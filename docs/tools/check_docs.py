"""Holds the documents against the repository: links lead somewhere, commands exist, translations agree."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from commands import PROGRAMS, ROOT, Command, all_commands

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_SHELLS = ("", "sh", "bash", "console")
_INLINE = re.compile(r"`([^`\n]+)`")
_SKIPPED = ("docs/reference/cli.md", "tests/golden")


def documents() -> list[Path]:
    """Every Markdown file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if not line.startswith(_SKIPPED)]


def link_faults(page: Path, text: str) -> Iterator[str]:
    """Relative links that lead nowhere."""
    for link in _LINK.findall(text):
        target = link.partition("#")[0]
        if not target or "://" in target or target.startswith("mailto:"):
            continue
        if not (page.parent / target).exists():
            yield f"the link {link} leads nowhere"


def make_targets() -> set[str]:
    """The targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def command_lines(text: str) -> Iterator[str]:
    """Every line of code in a document that may be a command of ours."""
    for language, block in _BLOCK.findall(text):
        if language in _SHELLS:
            yield from block.replace("\\\n", " ").splitlines()
    yield from _INLINE.findall(_BLOCK.sub("", text))


def command_faults(line: str, targets: set[str], commands: dict[tuple[str, ...], Command]) -> Iterator[str]:
    """What of a line does not exist."""
    line = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return
    if words[0] == "make":
        for word in words[1:]:
            if re.fullmatch(r"[a-z][a-z-]*", word) and word not in targets:
                yield f"`{line}`: the Makefile has no target {word}"
        return
    if words[0].rpartition("/")[2] not in PROGRAMS:
        return
    path: tuple[str, ...] = (words[0].rpartition("/")[2],)
    rest = words[1:]
    while rest and (*path, rest[0]) in commands:
        path, rest = (*path, rest[0]), rest[1:]
    found = commands[path]
    if found.is_group and rest and re.fullmatch(r"[a-z][a-z-]*", rest[0]):
        yield f"`{line}`: {' '.join(path)} has no command {rest[0]}"
        return
    for word in rest:
        name = word.partition("=")[0]
        if re.fullmatch(r"--[a-z][a-z0-9-]*", name) and name not in found.option_names:
            yield f"`{line}`: {' '.join(path)} has no option {name}"


def translation_faults(page: Path, text: str) -> Iterator[str]:
    """A page and its translation show the same commands."""
    other = page.with_name(page.name.replace(".md", ".zh-CN.md"))
    if page.name.endswith(".zh-CN.md") or not other.is_file():
        return
    if _commands_alone(text) != _commands_alone(other.read_text(encoding="utf-8")):
        yield f"its blocks of commands differ from those of {other.name}"


def _commands_alone(text: str) -> list[str]:
    blocks = [block for language, block in _BLOCK.findall(text) if language in _SHELLS[1:]]
    lines = [line for block in blocks for line in block.splitlines() if line.strip() and not line.startswith("#")]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


def main() -> int:
    """1 when there is a fault; each is one line."""
    targets = make_targets()
    commands = {command.path: command for command in all_commands()}
    faults = []
    for page in documents():
        text = page.read_text(encoding="utf-8")
        found = [*link_faults(page, text), *translation_faults(page, text)]
        for line in command_lines(text):
            found += command_faults(line, targets, commands)
        faults += [f"{page.relative_to(ROOT)}: {fault}" for fault in found]
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
