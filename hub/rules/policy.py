"""Rule packs: the numbers of rules, each with its source, chosen by jurisdiction and land type.

A pack is YAML that people write: unknown keys are errors that name file, line and key. A plain value takes the pack's
own `source`; a mapping `{value, source, clause, verified, verified_at}` says its own. `value: unknown` means that the
limit exists but nobody here has found it: rules that need it answer "cannot evaluate".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, TypeVar

import msgspec
import yaml
from msgspec import Meta, Struct

from hub.domain.text import Text
from hub.errors import ConfigError

Scalar = bool | int | float | str | tuple[int | float | str, ...] | None
P = TypeVar("P", bound="Parameters")
Days = Annotated[int, Meta(ge=0, le=3660)]
Seconds = Annotated[int, Meta(ge=0, le=31_536_000)]
Hours = Annotated[float, Meta(ge=0, le=8760)]
Times = Annotated[int, Meta(ge=1, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Area = Annotated[float, Meta(gt=0, le=1000)]
UNKNOWN: Final = "unknown"


class Parameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every rule has: whether it is on, and how soon somebody must answer (ack) and act."""

    enabled: bool = True
    ack_within_s: Seconds
    act_within_s: Seconds


class UrgentParameters(Parameters, frozen=True, kw_only=True):
    """Of rules that do not wait: every so many seconds one level up, until somebody answers."""

    escalate_every_s: Seconds


@dataclass(frozen=True, slots=True)
class Provenance:
    """One parameter with where it comes from."""

    name: str
    value: Scalar
    source: str
    clause: str
    verified: bool
    verified_at: date | None
    pack: str
    overridden_by: str | None = None


class _Value(Struct, forbid_unknown_fields=True):
    value: Scalar
    source: str | None = None
    clause: str = ""
    verified: bool | None = None
    verified_at: date | None = None


class _Title(Struct, forbid_unknown_fields=True):
    zh: str
    en: str


class _PackFile(Struct, forbid_unknown_fields=True):
    pack: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
    version: Annotated[str, Meta(pattern=r"^[0-9][0-9A-Za-z.-]{0,23}$")]
    title: _Title
    rules: dict[str, dict[str, _Value | Scalar]]
    jurisdictions: list[Annotated[str, Meta(pattern=r"^(\*|[0-9]{2,6})$")]]
    land_types: list[Annotated[str, Meta(pattern=r"^(state|collective|unknown)$")]]
    source: str
    verified: bool = False
    verified_at: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack, checked."""

    id: str
    version: str
    title: Text
    jurisdictions: tuple[str, ...]
    land_types: frozenset[str]
    expires_on: date | None
    parameters: Mapping[str, Mapping[str, Provenance]]

    def weight(self, jurisdiction: str, land_type: str) -> int | None:
        """How specific the pack is to a building (first by its region, then by its land); None: not for it."""
        if land_type not in self.land_types:
            return None
        lengths = [0 if code == "*" else len(code) for code in self.jurisdictions if _covers(code, jurisdiction)]
        return max(lengths) * 10 - len(self.land_types) if lengths else None


def _covers(code: str, jurisdiction: str) -> bool:
    return code == "*" or jurisdiction.startswith(code)


class Policy:
    """The parameters that hold for one building, with their provenance."""

    def __init__(self, values: Mapping[str, Parameters], provenance: Mapping[str, tuple[Provenance, ...]]) -> None:
        self._values = values
        self._provenance = provenance

    def of(self, rule_id: str, kind: type[P]) -> P:
        """The parameters of a rule, as its own type."""
        found = self._values[rule_id]
        if not isinstance(found, kind):
            raise TypeError(f"rule {rule_id}: its parameters are {type(found).__name__}, not {kind.__name__}")
        return found

    def base(self, rule_id: str) -> Parameters:
        """What every rule has."""
        return self._values[rule_id]

    def provenance(self, rule_id: str) -> tuple[Provenance, ...]:
        """Every parameter of a rule with its source, in the order of their names."""
        return self._provenance[rule_id]


@dataclass(frozen=True, slots=True)
class Override:
    """A parameter that the organisation set for a scope."""

    rule_id: str
    parameter: str
    value: Scalar
    set_by: str
    reason: str


class PackSet:
    """Packs in the order in which they were given; the more specific one wins, then the later one."""

    def __init__(self, packs: Sequence[Pack], kinds: Mapping[str, type[Parameters]]) -> None:
        self.packs = tuple(packs)
        self._kinds = kinds
        self._policies: dict[tuple[str, str, tuple[Override, ...]], Policy] = {}
        for pack in self.packs:
            _check_names(pack, kinds)

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """Every rule for which there are numbers, in the order of the catalogue."""
        return tuple(self._kinds)

    def check_override(self, rule_id: str, parameter: str, value: Scalar) -> None:
        """Raises ConfigError for a parameter that there is not, or a value that it cannot have."""
        self._resolve("", "unknown", (Override(rule_id, parameter, value, "", ""),))

    def policy(self, jurisdiction: str, land_type: str, overrides: tuple[Override, ...] = ()) -> Policy:
        """What holds for a building there. Raises ConfigError when a rule lacks a number, or an override is wrong."""
        key = (jurisdiction, land_type, overrides)
        found = self._policies.get(key)
        if found is None:
            found = self._policies[key] = self._resolve(jurisdiction, land_type, overrides)
        return found

    def _resolve(self, jurisdiction: str, land_type: str, overrides: tuple[Override, ...]) -> Policy:
        weighed = [(pack.weight(jurisdiction, land_type), n, pack) for n, pack in enumerate(self.packs)]
        chosen = sorted((weight, n, pack) for weight, n, pack in weighed if weight is not None)
        merged: dict[str, dict[str, Provenance]] = {rule_id: {} for rule_id in self._kinds}
        for _, _, pack in chosen:
            for rule_id, parameters in pack.parameters.items():
                merged[rule_id].update(parameters)
        for override in overrides:
            self._override(merged, override)
        values = {rule_id: self._build(rule_id, found) for rule_id, found in merged.items()}
        provenance = {rule_id: tuple(found[name] for name in sorted(found)) for rule_id, found in merged.items()}
        return Policy(values, provenance)

    def _override(self, merged: dict[str, dict[str, Provenance]], override: Override) -> None:
        kind = self._kinds.get(override.rule_id)
        if kind is None or override.parameter not in kind.__struct_fields__:
            raise ConfigError(f"override {override.rule_id}.{override.parameter}: there is no such parameter")
        merged[override.rule_id][override.parameter] = Provenance(
            override.parameter, override.value, override.reason, "", False, None, "override", override.set_by
        )

    def _build(self, rule_id: str, found: Mapping[str, Provenance]) -> Parameters:
        values = {name: None if item.value == UNKNOWN else item.value for name, item in found.items()}
        try:
            return msgspec.convert(values, self._kinds[rule_id])
        except msgspec.ValidationError as error:
            packs = ", ".join(sorted({item.pack for item in found.values()})) or "no pack"
            raise ConfigError(f"rule packs ({packs}): rule {rule_id}: {error}") from error


def _check_names(pack: Pack, kinds: Mapping[str, type[Parameters]]) -> None:
    for rule_id, parameters in pack.parameters.items():
        kind = kinds.get(rule_id)
        if kind is None:
            raise ConfigError(f"rule pack {pack.id}: rules.{rule_id}: there is no such rule; take the key away")
        for name in parameters:
            if name not in kind.__struct_fields__:
                known = ", ".join(kind.__struct_fields__)
                raise ConfigError(f"rule pack {pack.id}: rules.{rule_id}.{name}: unknown; this rule has {known}")


def parse_pack(text: str, name: str) -> Pack:
    """A pack from YAML. `name` is the file's, for errors. Raises ConfigError with file, line or key, and mend."""
    try:
        plain = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{place}: {problem}; check indentation and quotes") from error
    try:
        found = msgspec.convert(plain, _PackFile, str_keys=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {error}") from error
    label = f"{found.pack} {found.version}"
    rules: dict[str, dict[str, Provenance]] = {}
    for rule_id, parameters in found.rules.items():
        rules[rule_id] = {key: _provenance(key, value, found, label) for key, value in parameters.items()}
    return Pack(
        found.pack,
        found.version,
        Text(found.title.zh, found.title.en),
        tuple(found.jurisdictions),
        frozenset(found.land_types),
        found.expires_on,
        rules,
    )


def _provenance(name: str, value: "_Value | Scalar", pack: _PackFile, label: str) -> Provenance:
    if isinstance(value, _Value):
        verified = pack.verified if value.verified is None else value.verified
        source = pack.source if value.source is None else value.source
        return Provenance(name, value.value, source, value.clause, verified, value.verified_at, label)
    return Provenance(name, value, pack.source, "", pack.verified, pack.verified_at, label)


def unverified(packs: Iterable[Pack]) -> list[str]:
    """`pack: rule.parameter` of every number that nobody has checked against its source."""
    return [
        f"{pack.id}: {rule_id}.{item.name}"
        for pack in packs
        for rule_id, parameters in pack.parameters.items()
        for item in parameters.values()
        if not item.verified
    ]
