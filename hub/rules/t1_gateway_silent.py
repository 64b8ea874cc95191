"""T1: a gateway has fallen silent. The alarm devices behind it still sound on the spot."""

from datetime import datetime, timedelta

from hub.domain.local_time import local_text
from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Seconds

RULE = Rule(
    id="T1",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P2",
    title=Text("网关失联", "Gateway silent"),
    trigger=Text(
        "网关超过规定时间没有任何消息；带有烟感或求助按钮的网关升为 P1",
        "Nothing was heard of a gateway for the given time; P1 if smoke detectors or help buttons are behind it",
    ),
    explanation=Text(
        "网关 {gateway}（楼栋 {building}）自 {since} 起没有消息。其下 {devices} 个设备"
        "（含 {detectors} 个烟感、{buttons} 个求助按钮）无法上报；"
        "本地声光报警仍然有效，数据恢复后补传。",
        "Gateway {gateway} (building {building}) has been silent since {since}. {devices} device(s) behind it, "
        "{detectors} of them smoke detectors and {buttons} help buttons, cannot report; local sounders still work, and "
        "what happens is sent later.",
    ),
    basis=Text("运行要求", "Operational requirement"),
    benign=(
        Text("停电、宽带故障、检修", "A power cut, a line fault, maintenance"),
        Text("网关正在升级", "The gateway is being upgraded"),
    ),
    recommended=(
        Text("检查供电、网线与宽带", "Check power, cable and line"),
        Text(
            "有烟感或求助按钮时安排人工巡查直至恢复",
            "With smoke detectors or help buttons behind it: patrol until it is back",
        ),
    ),
)


class Parameters(Base, frozen=True, kw_only=True):
    """How long a gateway may be silent."""

    silent_s: Seconds


def judge(
    gateway: str,
    building: str | None,
    last_seen_at: datetime,
    *,
    devices: int,
    detectors: int,
    buttons: int = 0,
    p: Parameters,
    now: datetime,
) -> Finding:
    """Active when the gateway has been silent for longer than allowed; otherwise a clearing finding."""
    subject = Subject(f"gateway:{gateway}", None, building, gateway, None)
    if now - last_seen_at <= timedelta(seconds=p.silent_s):
        return Finding("T1", subject, now, active=False, source=gateway)
    return Finding(
        "T1",
        subject,
        now,
        source=gateway,
        severity="P1" if detectors or buttons else None,
        facts={
            "gateway": gateway,
            "building": building or "?",
            "since": local_text(last_seen_at),
            "devices": devices,
            "detectors": detectors,
            "buttons": buttons,
        },
        evidence=(
            Evidence(
                "estimate", last_seen_at, Text("最后一次收到消息", "the last that was heard"), ref=f"gateway:{gateway}"
            ),
        ),
    )
