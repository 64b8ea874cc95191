"""YAML as profiles use it: one document, the core schema of YAML 1.2, no anchors, no double keys; every line known."""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

MAX_BYTES: Final = 128 * 1024
MAX_DEPTH: Final = 24


@dataclass(frozen=True, slots=True)
class YamlError(Exception):
    """What is wrong, and in which line (from 1)."""

    line: int
    reason: str


class _Loader(yaml.SafeLoader):
    """SafeLoader whose `on`, `off`, `yes`, `no` and `12:30` are text, as YAML 1.2 says."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML leaves it untyped
        if getattr(event, "anchor", None) is not None:
            line = event.start_mark.line + 1
            raise YamlError(line, "anchors and aliases are not part of the language; write it out")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|false|False)$", list("tTfF")),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("int", r"^[-+]?(?:[0-9]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _number(loader: _Loader, node: yaml.ScalarNode) -> int:
    """Decimal or 0x; a leading zero is no octal."""
    text = loader.construct_scalar(node)
    return int(text, 16) if "x" in text else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _number)

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Tree:
    """A document: its value, and the line of every key."""

    value: Any
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int:
        """The line of a place, or of the nearest place above it. Steps that the file does not have are skipped."""
        here: Loc = ()
        for step in loc:
            for candidate in (step, str(step)):
                if (*here, candidate) in self.lines:
                    here = (*here, candidate)
                    break
        return self.lines.get(here, 1)


def parse(text: str, max_bytes: int = MAX_BYTES) -> Tree:
    """The one document in `text`. Raises YamlError."""
    if len(text.encode()) > max_bytes:
        raise YamlError(1, f"more than {max_bytes // 1024} KiB; such a file is smaller")
    lines: dict[Loc, int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise YamlError(1, "the file is empty; start with `profile: 1`")
        _walk(node, (), lines)
        value = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(mark.line + 1 if mark else 1, f"not YAML: {what}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(1, f"not YAML: {error}".splitlines()[0]) from error
    return Tree(value, lines)


def _walk(node: yaml.Node, loc: Loc, lines: dict[Loc, int]) -> None:
    line = node.start_mark.line + 1
    lines.setdefault(loc, line)
    if len(loc) > MAX_DEPTH:
        raise YamlError(line, f"nested deeper than {MAX_DEPTH} levels")
    if not isinstance(node, yaml.MappingNode | yaml.SequenceNode):
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*loc, index), lines)
        return
    names: set[str] = set()
    for key, value in node.value:
        key_line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge" or key.value == "<<":
            raise YamlError(key_line, "a key is a plain word; lists, maps and << are not part of the language")
        name = key.value
        if name in names:
            raise YamlError(key_line, f"{'.'.join(str(step) for step in (*loc, name))}: the key stands twice; keep one")
        names.add(name)
        lines[(*loc, name)] = key_line
        _walk(value, (*loc, name), lines)
