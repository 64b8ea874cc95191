"""T6: the registry contradicts itself: one person twice, one person in two units, a number that cannot be."""

from datetime import datetime

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Fact, Text
from hub.rules.findings import about_unit, occupant_evidence
from hub.rules.model import FINE, Rule, Verdict
from hub.rules.policy import Parameters as Base

RULE = Rule(
    id="T6",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P4",
    title=Text("台账冲突", "The registry contradicts itself"),
    trigger=Text(
        "同一证件登记为两个人、同一人同时登记在两处，或证件号码校验不通过",
        "One document is entered for two people, one person lives in two units at once, or a number fails its check",
    ),
    explanation=Text(
        "房屋 {unit} 的台账有 {conflicts} 处需要核对：{why_zh}。这只是数据问题，不代表任何人有错。",
        "The registry of unit {unit} has {conflicts} thing(s) to check: {why_en}. "
        "This is about data, not about anybody.",
    ),
    basis=Text("数据质量", "Data quality"),
    benign=(
        Text("录入错误、重复导入", "A typing error, a double import"),
        Text("确实租住两处", "Somebody does rent two places"),
    ),
    recommended=(Text("核对并修正台账", "Check and mend the registry"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """`seen.elsewhere`: people of this unit who are entered in another one too, or under another code."""
    del p
    found: list[tuple[str, str]] = []
    pieces = []
    for occupant in unit.people_on(local_day(now)):
        other = seen.elsewhere.get(occupant.person.code)
        if other is not None:
            found.append(
                (f"{occupant.person.mask} 同时登记在 {other}", f"{occupant.person.mask} is entered in {other} too")
            )
            pieces.append(occupant_evidence(occupant))
        if occupant.person.document_valid is False:
            found.append(
                (f"{occupant.person.mask} 的证件号码校验不通过", f"a document of {occupant.person.mask} is invalid")
            )
            pieces.append(occupant_evidence(occupant))
    if not found:
        return FINE
    facts: dict[str, Fact] = {
        "conflicts": len(found),
        "why_zh": "；".join(zh for zh, _ in found[:3]),
        "why_en": "; ".join(en for _, en in found[:3]),
    }
    return about_unit("T6", unit, now, facts, pieces)
