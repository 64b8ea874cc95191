"""The value templates of Home Assistant's discovery, as far as they are safe: expressions and conditions, no loops.

Who may publish on the discovery topic writes these. So a template is parsed first and refused unless every part of it
is on a list; what remains runs in Jinja's sandbox in time and memory that its own length bounds. There is no `set`:
`{% set a = a ~ a %}` sixty times would be 10^18 characters.
"""

from typing import Any, Final

from jinja2 import TemplateError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEMPLATE: Final = 2048
MAX_PAYLOAD: Final = 65_536
MAX_RESULT: Final = 4096

_FILTERS: Final = frozenset(
    {
        "abs", "bool", "d", "default", "first", "float", "int", "is_defined", "iif", "last", "length", "lower",
        "replace", "round", "string", "tojson", "trim", "upper", "title", "capitalize", "max", "min", "sum",
    }
)  # fmt: skip
_METHODS: Final = frozenset({"get", "split", "lower", "upper", "strip", "startswith", "endswith"})
_FUNCTIONS: Final = frozenset({"float", "int", "bool", "iif", "max", "min"})
_TESTS: Final = frozenset(
    {"defined", "undefined", "none", "number", "string", "eq", "ne", "lt", "gt", "ge", "le", "in", "true", "false",
     "equalto", "mapping", "sequence", "boolean", "integer", "float"}
)  # fmt: skip
_NODES: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Getitem, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Concat,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Filter,
    nodes.Test, nodes.Call, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Slice, nodes.Keyword,
)  # fmt: skip


class TemplateFault(ValueError):  # noqa: N818  # as the other faults of this package
    """A template that is refused, or that fails on this payload."""


class _Environment(ImmutableSandboxedEnvironment):
    """Arithmetic is for numbers: `"x" * 10**9` and `"%999999d" % 1` are not arithmetic."""

    intercepted_binops = frozenset({"*", "%", "+"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        is_text = isinstance(left, str) and isinstance(right, str) and operator == "+"
        if not is_text and not (_is_number(left) and _is_number(right)):
            raise TemplateFault(f"{operator} of {type(left).__name__} and {type(right).__name__}")
        return super().call_binop(context, operator, left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _float(value: Any, default: Any = None) -> Any:
    """Home Assistant's `float`: the default where there is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def _int(value: Any, default: Any = None) -> Any:
    """Home Assistant's `int`."""
    number = _float(value)
    return default if number is None or number != number or abs(number) > 1e15 else int(number)  # noqa: PLR0124  # NaN


def _bool(value: Any, default: Any = None) -> Any:
    text = str(value).strip().lower()
    if text in ("true", "on", "yes", "1", "enable", "1.0"):
        return True
    return False if text in ("false", "off", "no", "0", "disable", "0.0") else default


def _iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = None) -> Any:
    if value is None and if_none is not None:
        return if_none
    return if_true if value else if_false


def _replace(value: Any, old: str, new: str) -> str:
    """Jinja's `replace`, whose result has a bound."""
    text = str(value)
    if len(text) * max(1, len(str(new))) > 1_000_000:
        raise TemplateFault("replace gives too much")
    return text.replace(str(old), str(new))


def _environment() -> _Environment:
    environment = _Environment(undefined=Undefined, autoescape=False)  # the result is a value, not HTML
    environment.filters |= {"float": _float, "int": _int, "bool": _bool, "iif": _iif, "replace": _replace}
    environment.filters["is_defined"] = lambda value: value
    environment.globals.clear()
    environment.globals |= {"float": _float, "int": _int, "bool": _bool, "iif": _iif, "max": max, "min": min}
    return environment


_ENVIRONMENT: Final = _environment()


class ValueTemplate:
    """A template that passed. Raises TemplateFault when it is made, for one that does not."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_TEMPLATE:
            raise TemplateFault(f"longer than {MAX_TEMPLATE} characters")
        try:
            tree = _ENVIRONMENT.parse(source)
        except (TemplateError, RecursionError) as error:
            raise TemplateFault(str(error).splitlines()[0]) from error
        for node in [tree, *tree.find_all(nodes.Node)]:
            _check(node)
        self._template = _ENVIRONMENT.from_string(source)

    def render(self, value: str, value_json: Any) -> str:
        """The template's text for a payload. Raises TemplateFault."""
        if len(value) > MAX_PAYLOAD:
            raise TemplateFault(f"the payload is longer than {MAX_PAYLOAD} characters")
        try:
            result = self._template.render(value=value, value_json=value_json)
        except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise TemplateFault(f"fails: {error}"[:200]) from error
        if len(result) > MAX_RESULT:
            raise TemplateFault(f"gives more than {MAX_RESULT} characters")
        return result.strip()


def _check(node: nodes.Node) -> None:
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        raise TemplateFault(f"filter {node.name!r} is not known here")
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise TemplateFault(f"test {node.name!r} is not known here")
    if isinstance(node, nodes.Call):
        callee = node.node
        is_method = isinstance(callee, nodes.Getattr) and callee.attr in _METHODS
        if not is_method and not (isinstance(callee, nodes.Name) and callee.name in _FUNCTIONS):
            raise TemplateFault("it calls what is not known here")
    if not isinstance(node, _NODES):
        raise TemplateFault(f"{type(node).__name__.lower()} is not part of what runs here")
