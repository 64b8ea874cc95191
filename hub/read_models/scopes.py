"""Which houses a scope holds: a node of the tree, a building, or everything that somebody may see."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlmodel import Session, col, select

from hub.domain.entities import Building, Device, Unit
from hub.errors import NotFoundError
from hub.registry.snapshot import RegistrySnapshot, read_rows
from hub.rules.building import BuildingContents
from hub.store.tables.ingest import Gateway
from hub.store.tables.registry import GatewayPlacementRow, ScopeRow, UnitRow

Sees = Callable[[str | None], bool]


@dataclass(frozen=True, slots=True)
class ScopeNode:
    """A node of the tree or a building (`kind`), by which houses can be chosen."""

    code: str
    kind: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Houses:
    """The buildings of a scope as the registry had them. `is_all`: what belongs to no building is among them too."""

    code: str
    name: str
    is_all: bool
    buildings: dict[str, Building]
    registry: RegistrySnapshot

    def holds(self, building: str | None) -> bool:
        """Whether something of this building, or of none, belongs here."""
        return self.is_all if building is None else building in self.buildings


class SharedSnapshot:
    """A registry for all who look at the overview: walls ask again with every change. Hold `lock` while using it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.registry = RegistrySnapshot()


def list_scopes(session: Session, sees: Sees) -> list[ScopeNode]:
    """Every node that holds a building that may be seen, and those buildings, by code."""
    registry = RegistrySnapshot()
    registry.refresh(session)
    buildings = [found for found in registry.buildings(session) if sees(found.code)]
    above = {code for found in buildings for code in registry.scope_path(session, found)}
    nodes = [
        ScopeNode(row.code, row.kind, row.name, row.parent_code)
        for row in read_rows(session, ScopeRow, None)
        if row.code in above or sees(row.code)
    ]
    nodes += [ScopeNode(found.code, "building", found.name, found.scope_code) for found in buildings]
    return sorted(nodes, key=lambda node: node.code)


def find_houses(
    session: Session, scope: str, sees: Sees, as_of: datetime | None = None, registry: RegistrySnapshot | None = None
) -> Houses:
    """The buildings under `scope` ("" is everything that may be seen) as known at `as_of`. Raises NotFoundError.

    `registry`: one that is kept from call to call, so that only what has changed is read again.
    """
    registry = registry or RegistrySnapshot(as_of)
    registry.refresh(session, as_of)
    under = {
        found.code: found
        for found in registry.buildings(session)
        if sees(found.code) and scope in registry.scope_path(session, found)
    }
    if not scope:
        return Houses("", "", sees(None), under, registry)
    if scope in under:
        return Houses(scope, under[scope].name, False, under, registry)
    rows = read_rows(session, ScopeRow, as_of, ScopeRow.code, [scope]) or read_rows(
        session, ScopeRow, None, ScopeRow.code, [scope]
    )
    if not rows or not (under or sees(scope)):
        raise NotFoundError(f"没有范围或楼栋 {scope} / scope {scope}: neither a scope nor a building here")
    return Houses(scope, rows[0].name, False, under, registry)


def units_of(session: Session, houses: Houses, as_of: datetime | None = None) -> list[Unit]:
    """Every unit of these buildings with what the registry holds of it."""
    rows = read_rows(session, UnitRow, as_of, UnitRow.building_code, set(houses.buildings))
    return list(houses.registry.units(session, [row.code for row in rows]).values())


def as_seen(session: Session, houses: Houses, units: list[Unit]) -> list[BuildingContents]:
    """The buildings with their units and the devices of their common parts, by code."""
    inside: dict[str, list[Unit]] = {code: [] for code in houses.buildings}
    for unit in units:
        inside[unit.building.code].append(unit)
    common: dict[str, list[Device]] = {code: [] for code in houses.buildings}
    for device in houses.registry.devices(session):
        if device.unit_code is None and device.building_code in common:
            common[device.building_code].append(device)
    return [BuildingContents(found, inside[code], common[code]) for code, found in sorted(houses.buildings.items())]


def gateways_of(session: Session, houses: Houses, as_of: datetime | None = None) -> dict[str, Gateway]:
    """The gateways that stand in these buildings, by the registry or by their adoption."""
    placed = {
        row.code
        for row in read_rows(
            session, GatewayPlacementRow, as_of, GatewayPlacementRow.building_code, set(houses.buildings)
        )
    }
    found = session.exec(select(Gateway).order_by(col(Gateway.id)))
    return {row.id: row for row in found if row.id in placed or (row.building_code in houses.buildings)}
