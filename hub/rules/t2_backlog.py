"""T2: what a gateway has to tell is waiting, or reaches this hub late."""

from datetime import datetime, timedelta

from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Seconds, Times
from hub.rules.words import event_evidence
from wire.events import GatewayHealth

RULE = Rule(
    id="T2",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P3",
    title=Text("数据积压", "Backlog"),
    trigger=Text(
        "网关待发事件超过规定数量或时长，或到达时已过规定时长",
        "A gateway has more, or older, events waiting than given, or its reports arrive later than given",
    ),
    explanation=Text(
        "网关 {gateway} 积压 {depth} 条，最早已等待 {oldest_s} 秒，数据滞后 {late_s} 秒。"
        "生命安全事件走独立通道，不受影响。",
        "Gateway {gateway}: {depth} events wait, the oldest for {oldest_s} s; reports arrive {late_s} s late. "
        "Life-safety "
        "events go their own way and are not held up.",
    ),
    basis=Text("运行要求", "Operational requirement"),
    benign=(Text("断网恢复后的补传", "Catching up after an outage"),),
    recommended=(Text("检查上行带宽和服务器负载", "Check the line and the server's load"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """The most that may wait, and for how long."""

    depth: Times
    oldest_s: Seconds
    late_s: Seconds


def judge(
    gateway: str, building: str | None, event: GatewayHealth, event_id: int, *, received_at: datetime, p: Parameters
) -> Finding:
    """From what the gateway says of its outbox, and from how late it says so."""
    at = event.observed_at
    depth, oldest = event.data.outbox_depth or 0, event.data.outbox_oldest_s or 0.0
    late = max(timedelta(0), received_at - at)
    is_active = depth > p.depth or oldest > p.oldest_s or late > timedelta(seconds=p.late_s)
    subject = Subject(f"gateway:{gateway}", None, building, gateway, None)
    if not is_active:
        return Finding("T2", subject, at, active=False, source=gateway)
    return Finding(
        "T2",
        subject,
        at,
        source=gateway,
        facts={
            "gateway": gateway,
            "depth": depth,
            "oldest_s": round(oldest),
            "late_s": round(late.total_seconds()),
        },
        evidence=event_evidence(event_id, at, "网关健康报告", "the gateway's health report"),
    )
