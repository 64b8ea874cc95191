"""The check of the documents finds what it is for."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[2] / "docs" / "tools"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    sys.path.insert(0, str(TOOLS))
    try:
        spec = importlib.util.spec_from_file_location("check_docs", TOOLS / "check_docs.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(TOOLS))


def _faults(check: ModuleType, text: str) -> list[str]:
    commands = {command.path: command for command in check.all_commands()}
    targets = check.make_targets()
    return [fault for line in check.command_lines(text) for fault in check.command_faults(line, targets, commands)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("make dmeo", "no target dmeo"),
        ("anfang-sim dmeo", "anfang-sim has no command dmeo"),
        (".venv/bin/anfang-sim demo --chekc", "anfang-sim demo has no option --chekc"),
        ("LANG=zh_CN.UTF-8 anfang-hub user remove x", "anfang-hub user has no command remove"),
    ],
)
def test_a_command_that_does_not_exist_is_named_in_blocks_and_in_the_text(
    check: ModuleType, line: str, fault: str
) -> None:
    for text in (f"```sh\n{line}\n```\n", f"Run `{line}`.\n", f"```yaml\na: 1\n```\n\n```\n$ {line}  # so\n```\n"):
        assert any(fault in found for found in _faults(check, text)), text


def test_commands_that_exist_are_fine_and_other_languages_are_no_commands(check: ModuleType) -> None:
    text = "```sh\nmake demo\n.venv/bin/anfang-sim demo --check --dir x\n```\n```toml\nmake = dmeo\n```\n`mosquitto_pub -t x`"
    assert _faults(check, text) == []


def test_a_link_that_leads_nowhere_is_named_and_addresses_are_not_followed(check: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    (tmp_path / "b.md").touch()
    text = "[b](b.md#part) [c](c.md) [web](https://example.org/x) ![picture](pictures/p.png) [here](#part)"
    assert list(check.link_faults(page, text)) == [
        "the link c.md leads nowhere",
        "the link pictures/p.png leads nowhere",
    ]


def test_a_translation_with_other_commands_is_named_and_other_comments_are_fine(
    check: ModuleType, tmp_path: Path
) -> None:
    page, other = tmp_path / "a.md", tmp_path / "a.zh-CN.md"
    text = "```sh\nmake demo  # starts\n```\n"
    other.write_text("```sh\nmake demo  # 启动\n```\n", encoding="utf-8")
    assert list(check.translation_faults(page, text)) == []
    other.write_text("```sh\nmake test\n```\n", encoding="utf-8")
    assert list(check.translation_faults(page, text)) == ["its blocks of commands differ from those of a.zh-CN.md"]
