"""S1: a door was forced, or a lock or reader was tampered with."""

from datetime import datetime

from hub.domain.device_location import Place
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.words import event_evidence, place_facts

RULE = Rule(
    id="S1",
    version="1",
    alert_class=AlertClass.SECURITY,
    severity="P1",
    title=Text("撬锁或强开", "Door forced or lock tampered with"),
    trigger=Text(
        "门锁上报强开或防拆，或读卡器、门锁的防拆触点断开",
        "A lock reports forcing or tampering, or the tamper contact of a lock or reader opens",
    ),
    explanation=Text(
        "{place_zh}的 {device} 于 {at} 上报{what_zh}。请立即联系住户并到场查看。",
        "{device} of {place_en} reported {what_en} at {at}. Call the household at once and have a look.",
    ),
    basis=Text("GA 374-2019 防破坏报警；《民法典》第942条", "GA 374-2019, tamper alarm; Civil Code Art. 942"),
    benign=(
        Text("使用机械钥匙开门", "Opened with a mechanical key"),
        Text("触点松动、更换电池", "A loose contact, a battery change"),
        Text("报备过的维修", "A repair that was booked"),
    ),
    recommended=(
        Text("第一时间告知住户", "Tell the household first"),
        Text("15 分钟内到场查看门锁", "See the lock within 15 minutes"),
        Text("发现侵入拨打 110", "Call 110 if somebody broke in"),
    ),
    forbidden=(
        Text("未经住户同意不得入户", "Do not enter without consent"),
        Text("不得远程开锁", "Do not open the lock from afar"),
    ),
    latched=True,
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


_WHAT = {"forced": ("强行开门", "a forced door"), "tamper": ("防拆报警", "tampering")}


def on_alarm(place: Place, at: datetime, event_id: int, what: str) -> Finding:
    """`what`: forced or tamper."""
    zh, en = _WHAT[what]
    return Finding(
        "S1",
        place.unit_subject(),
        at,
        source=place.key,
        facts={**place_facts(place, at), "what_zh": zh, "what_en": en},
        evidence=event_evidence(event_id, at, f"{place.device} 上报{zh}", f"{place.device} reported {en}"),
    )


def on_tamper_over(place: Place, at: datetime) -> Finding:
    """The contact closed again. The alert stays until a person has seen to it, but is no longer active."""
    return Finding("S1", place.unit_subject(), at, active=False, source=place.key)
