"""T4: a gateway's clock is wrong."""

from datetime import datetime

from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Seconds
from hub.rules.words import event_evidence
from wire.events import GatewayHealth

RULE = Rule(
    id="T4",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P3",
    title=Text("时钟偏差", "Clock off"),
    trigger=Text(
        "网关时钟偏差超过规定秒数，或事件时间在未来", "A gateway's clock is off by more than given, or runs ahead"
    ),
    explanation=Text(
        "网关 {gateway} 的时钟偏差 {offset_s} 秒，请检查其校时。事件顺序以网关编号为准，不受影响。",
        "The clock of gateway {gateway} is off by {offset_s} s; check its time source. The order of events is "
        "by number.",
    ),
    basis=Text("运行要求", "Operational requirement"),
    benign=(Text("断电后尚未校时", "Not yet set after a power cut"),),
    recommended=(Text("检查网关 NTP 与时钟电池", "Check the gateway's NTP and clock battery"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """How far a clock may be off."""

    most_s: Seconds


def judge(
    gateway: str, building: str | None, event: GatewayHealth, event_id: int, *, received_at: datetime, p: Parameters
) -> Finding:
    """From the offset that the gateway measured, else from a report that comes before its time."""
    ahead_s = (event.observed_at - received_at).total_seconds()
    offset_s = event.data.clock_offset_s if event.data.clock_offset_s is not None else max(0.0, ahead_s)
    subject = Subject(f"gateway:{gateway}", None, building, gateway, None)
    if max(abs(offset_s), ahead_s) <= p.most_s:
        return Finding("T4", subject, received_at, active=False, source=gateway)
    worst = offset_s if abs(offset_s) >= ahead_s else ahead_s
    return Finding(
        "T4",
        subject,
        received_at,
        source=gateway,
        facts={"gateway": gateway, "offset_s": round(worst)},
        evidence=event_evidence(event_id, received_at, f"时钟偏差 {worst:.0f} 秒", f"clock off by {worst:.0f} s"),
    )
