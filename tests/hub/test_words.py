"""What the hub refuses is said in both languages: its readers are managers, and most of them read Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import hub

FOLDERS = (
    "api/routes",
    "alerts",
    "evaluation",
    "policies",
    "read_models",
    "registry",
    "requests",
    "notify",
    "report",
    "retention",
)
TOLD = {"RegistryError", "NotFoundError", "NotAllowedError", "StaleAlertError"}
HAN = re.compile(r"[\u4e00-\u9fff]")

PLACES_AND_FILES = re.compile(
    r"registry/(yaml_import/|personal_data/(vault|person_record)|sheets/reading|changeset|checks|row_mapping|snapshot)"
)
"""What is read by whoever runs the commands, or names a place in a file and carries words of its own."""


def spoken(call: ast.Call) -> str:
    """The literal words of the first argument."""
    return "".join(
        part.value
        for argument in call.args[:1]
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def refusals() -> Iterator[tuple[str, str]]:
    root = Path(hub.__file__).parent
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if PLACES_AND_FILES.match(name):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TOLD:
                    words = spoken(node)
                    if len(words.split()) > 2:
                        yield f"{name}:{node.lineno}", words


def test_every_refusal_that_a_page_shows_has_both_languages() -> None:
    found = list(refusals())
    assert len(found) > 40
    assert [f"{place}: {words}" for place, words in found if not (HAN.search(words) and " / " in words)] == []
