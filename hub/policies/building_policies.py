"""Resolve the policy of a building from rule packs and the overrides of its scopes."""

from datetime import datetime

from sqlmodel import Session

from hub.domain.entities import Building
from hub.policies.overrides import read_overrides
from hub.registry.snapshot import RegistrySnapshot
from hub.rules.policy import Override, PackSet, Policy


class BuildingPolicies:
    """Policies as one transaction sees them: overrides are read once, each building's policy is resolved once."""

    def __init__(self, session: Session, registry: RegistrySnapshot, packs: PackSet, now: datetime) -> None:
        self._session = session
        self._registry = registry
        self._packs = packs
        self._now = now
        self._overrides: dict[str, list[Override]] | None = None
        self._policies: dict[str | None, Policy] = {}

    def of(self, building: Building | None) -> Policy:
        """Return what holds for a building; for an unknown one, what holds everywhere."""
        code = building.code if building is not None else None
        found = self._policies.get(code)
        if found is None:
            found = self._policies[code] = self._resolve(building)
        return found

    def _resolve(self, building: Building | None) -> Policy:
        if self._overrides is None:
            self._overrides = read_overrides(self._session, self._now)
        if building is None:
            return self._packs.policy("", "unknown", tuple(self._overrides.get("", ())))
        overrides = tuple(
            found
            # From the organisation down, so that the narrower scope has the last word.
            for scope in reversed(self._registry.scope_path(self._session, building) if self._overrides else ())
            for found in self._overrides.get(scope, ())
        )
        return self._packs.policy(building.jurisdiction, building.land_type, overrides)
