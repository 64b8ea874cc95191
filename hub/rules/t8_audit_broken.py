"""T8: the audit trail was changed."""

from collections.abc import Sequence
from datetime import datetime

from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Parameters as Base

RULE = Rule(
    id="T8",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P1",
    title=Text("审计链断裂", "Audit trail broken"),
    trigger=Text("审计记录的哈希链校验不通过", "A line of the audit trail does not match its seal"),
    explanation=Text(
        "审计记录有 {lines} 处校验不通过（首处编号 {first}）。记录可能被改动，请保全现场并查明。",
        "{lines} line(s) of the audit trail do not match their seal (the first is number {first}). It may have "
        "been changed; "
        "keep everything as it is, and find out.",
    ),
    basis=Text("《个人信息保护法》第51条、第69条", "Personal Information Protection Law Arts. 51, 69"),
    benign=(Text("从不一致的备份恢复", "Restored from an inconsistent backup"),),
    recommended=(Text("备份数据库文件并通知负责人", "Copy the database, tell whoever is responsible"),),
    forbidden=(Text("不得修补或删除审计记录", "Do not mend or delete audit lines"),),
    latched=True,
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


def judge(broken: Sequence[int], now: datetime) -> Finding:
    """`broken`: numbers of the lines that do not match."""
    if not broken:
        return Finding("T8", Subject("audit"), now, active=False, source="audit")
    return Finding(
        "T8",
        Subject("audit"),
        now,
        source="audit",
        facts={"lines": len(broken), "first": broken[0]},
        evidence=tuple(
            Evidence("record", now, Text("审计记录", "audit line"), ref=f"audit:{number}") for number in broken[:20]
        ),
    )
