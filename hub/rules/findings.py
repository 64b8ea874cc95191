"""Builders of findings about a unit, shared by the rules that compare the registry with what was seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.domain.entities import Credential, Lease, Occupant, Unit, record_ref
from hub.domain.observations import UseDay
from hub.domain.subject import Severity, Subject
from hub.domain.text import Fact, Text
from hub.rules.model import Evidence, Finding


def unit_subject(unit: Unit) -> Subject:
    """The unit."""
    return Subject(f"unit:{unit.code}", unit.code, unit.building.code)


def about_unit(
    rule_id: str,
    unit: Unit,
    at: datetime,
    facts: Mapping[str, Fact],
    evidence: Sequence[Evidence],
    *,
    severity: Severity | None = None,
    coverage: float | None = None,
) -> Finding:
    """An active finding about a unit. `facts` gets the unit's code."""
    return Finding(
        rule_id,
        unit_subject(unit),
        at,
        source="unit",
        severity=severity,
        facts={"unit": unit.code, **facts},
        evidence=tuple(evidence),
        coverage=coverage,
    )


def lease_evidence(lease: Lease) -> Evidence:
    """A version of a lease."""
    end = lease.end_on.isoformat() if lease.end_on else "不定期"
    end_en = lease.end_on.isoformat() if lease.end_on else "indefinite"
    return Evidence(
        "record",
        lease.entered_at,
        Text(
            f"台账：租约 {lease.code}，{lease.start_on} 至 {end}",
            f"registry: lease {lease.code}, {lease.start_on} to {end_en}",
        ),
        ref=record_ref("lease", lease.code, lease.entered_at),
    )


def occupant_evidence(occupant: Occupant) -> Evidence:
    """A version of an occupancy; the person by mask alone."""
    mask = occupant.person.mask
    return Evidence(
        "record",
        occupant.entered_at,
        Text(f"台账：{mask} 自 {occupant.from_on} 起", f"registry: {mask} since {occupant.from_on}"),
        ref=record_ref("occupant", occupant.code, occupant.entered_at),
    )


def credential_evidence(held: Credential) -> Evidence:
    """A version of a credential."""
    return Evidence(
        "record",
        held.entered_at,
        Text(f"台账：凭证 {held.mask or held.kind}", f"registry: credential {held.mask or held.kind}"),
        ref=record_ref("credential", held.ref, held.entered_at),
    )


def use_evidence(use: UseDay) -> Evidence:
    """The openings of one day."""
    return Evidence(
        "event",
        use.last_at,
        Text(f"{use.day} 开门 {use.opens} 次", f"{use.opens} opening(s) on {use.day}"),
        event_id=use.last_event_id,
    )
