"""YAML as profiles use it: one document, the core schema of YAML 1.2, no anchors, no double keys; every line known."""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

MAX_BYTES: Final = 128 * 1024
MAX_DEPTH: Final = 24
MAX_DIGITS: Final = 24


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
    if len(text) > MAX_DIGITS:
        mark = node.start_mark
        raise yaml.constructor.ConstructorError(None, None, f"a number of {len(text)} digits", mark)
    return _plain_number(text)


def _plain_number(text: str) -> int:
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
        raise _said(error) from error
    except RecursionError as error:
        raise YamlError(1, f"nested deeper than {MAX_DEPTH} levels; a profile needs four") from error
    except (yaml.YAMLError, ValueError) as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        raise YamlError(line, f"not YAML: {error}".splitlines()[0] + "; take out what cannot be printed") from error
    return Tree(value, lines)


_MENDS: Final = (
    ("\\t", "indent with blanks, not with tabs"),
    ("mapping values are not allowed", "put text that holds `: ` in quotes"),
    ("unexpected end of stream", "close the quote"),
    ("expected ',' or", "close the bracket, or put text that holds one of , : [ ] { } in quotes"),
    ("cannot start any token", "put the text in quotes"),
    ("expected <block end>", "begin all lines of one table in the same column"),
    ("could not find expected ':'", "a key ends with a colon and a blank"),
    ("single document", "one file is one profile; take out `---`"),
    ("constructor for the tag", "take out what begins with !"),
    ("special characters", "take out what cannot be printed"),
)
"""What YAML's parser says -> the mend."""


def _said(error: yaml.MarkedYAMLError) -> YamlError:
    """The parser's fault with its line and mend; the line where it began, if that is another."""
    mark = error.problem_mark or error.context_mark
    what = " ".join(part for part in (error.context, error.problem) if part)
    mend = next((mend for words, mend in _MENDS if words in what), "mend it or put the text in quotes")
    began = error.context_mark
    if began is not None and mark is not None and began.line != mark.line:
        what += f" (begun in line {began.line + 1})"
    if began is not None and "end of stream" in what:
        mark = began
    return YamlError(mark.line + 1 if mark else 1, f"not YAML: {what}; {mend}")


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
        # 0, 00 and 0x0 are one key, of which a table would keep the last.
        plain = str(_plain_number(name)) if key.tag.endswith(":int") else name
        if plain in names:
            raise YamlError(key_line, f"{'.'.join(str(step) for step in (*loc, name))}: the key stands twice; keep one")
        names.add(plain)
        lines[(*loc, plain)] = lines[(*loc, name)] = key_line
        _walk(value, (*loc, plain), lines)
