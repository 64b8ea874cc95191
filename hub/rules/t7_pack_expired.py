"""T7: a rule pack has expired, or its numbers were never checked against their sources."""

from collections.abc import Sequence
from datetime import date, datetime

from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Pack, unverified
from hub.rules.policy import Parameters as Base

RULE = Rule(
    id="T7",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P3",
    title=Text("规则包过期或未核实", "Rule pack expired or unverified"),
    trigger=Text(
        "规则包超过有效期；或（开启时）含有未对照原文核实的数值",
        "A rule pack is past its date; or, where that is switched on, has numbers nobody checked against their source",
    ),
    explanation=Text(
        "规则包 {pack}：{why_zh}。请对照原文核实并更新。",
        "Rule pack {pack}: {why_en}. Check it against its sources, and renew it.",
    ),
    basis=Text("运行要求：规则须有依据", "Operational requirement: rules rest on something"),
    recommended=(Text("由法务或主管部门核实后更新规则包", "Have it checked, then update the pack"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Whether unverified numbers raise it too."""

    tell_unverified: bool


def judge(packs: Sequence[Pack], p: Parameters, now: datetime, today: date) -> list[Finding]:
    """One finding for each pack: active or cleared."""
    found = []
    for pack in packs:
        is_expired = pack.expires_on is not None and pack.expires_on < today
        doubtful = len(unverified([pack])) if p.tell_unverified else 0
        zh = [f"已于 {pack.expires_on} 过期"] if is_expired else []
        en = [f"expired on {pack.expires_on}"] if is_expired else []
        if doubtful:
            zh.append(f"{doubtful} 个数值未核实")
            en.append(f"{doubtful} unverified number(s)")
        ref = f"pack:{pack.id}@{pack.version}"
        found.append(
            Finding(
                "T7",
                Subject(f"pack:{pack.id}"),
                now,
                active=bool(zh),
                source=pack.id,
                facts={"pack": f"{pack.id} {pack.version}", "why_zh": "，".join(zh), "why_en": ", ".join(en)},
                evidence=(Evidence("record", now, pack.title, ref=ref),),
            )
        )
    return found
