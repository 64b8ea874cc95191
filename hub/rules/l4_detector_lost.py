"""L4: a smoke detector is silent, taken off or covered, so that nobody would hear of a fire."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.domain.device_location import Place
from hub.domain.local_time import local_text
from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Hours, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import event_evidence, place_facts

RULE = Rule(
    id="L4",
    version="1",
    alert_class=AlertClass.LIFE,
    severity="P1",
    title=Text("烟感失联或被拆", "Smoke detector silent or removed"),
    trigger=Text(
        "烟感上报防拆，或超过 max(2×周期, 规定小时数) 没有任何消息；整网关失联时每栋楼保留一条",
        "The detector reports tampering, or says nothing for max(2 x its period, the given hours); one per building in "
        "an outage of its gateway",
    ),
    explanation=Text(
        "{place_zh}的烟感 {device}：{why_zh}。在恢复之前，这里起火可能无人知晓。",
        "Smoke detector {device} of {place_en}: {why_en}. Until it is back, a fire here may go unnoticed.",
    ),
    basis=Text(
        "GB 20517-2025：电池电压至少每24小时检测一次，故应每日有消息",
        "GB 20517-2025: the battery is checked at least every 24 h, so something must be heard every day",
    ),
    benign=(
        Text("无线盲区或信号干扰", "A radio dead spot"),
        Text("网关断电断网", "The gateway has no power or network"),
        Text("正在更换电池或装修", "A battery change or building work"),
    ),
    recommended=(
        Text("当日上门检查探测器、电池与信号", "Visit the same day: detector, battery, signal"),
        Text("恢复前提醒住户并安排巡查", "Until then tell the household and patrol"),
    ),
    forbidden=(Text("不得以“离线”为由停用该点位", "Do not take the point out of service because it is offline"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Silence is the longer of `silent_h` and `periods` of the detector's own heartbeat."""

    silent_h: Hours
    periods: Times


def allowed_silence(p: Parameters, heartbeat_s: int | None) -> timedelta:
    """How long a detector may say nothing."""
    return max(timedelta(hours=p.silent_h), timedelta(seconds=p.periods * (heartbeat_s or 0)))


def on_tamper(place: Place, at: datetime, event_id: int, *, tampered: bool) -> Finding:
    """The detector's tamper contact opened or closed."""
    source = f"{place.key}#tamper"
    if not tampered:
        return Finding("L4", place.device_subject(), at, active=False, source=source)
    return Finding(
        "L4",
        place.device_subject(),
        at,
        source=source,
        facts={**place_facts(place, at), "why_zh": "上报被拆或防拆触点断开", "why_en": "it reports tampering"},
        evidence=event_evidence(event_id, at, f"烟感 {place.device} 防拆报警", f"tamper of detector {place.device}"),
    )


def on_silence(place: Place, last_seen_at: datetime, last_event_id: int, p: Parameters, now: datetime) -> Finding:
    """Whether the detector has been silent for too long; active or not."""
    source = f"{place.key}#silent"
    heartbeat_s = place.known.heartbeat_s if place.known else None
    silent = now - last_seen_at
    if silent <= allowed_silence(p, heartbeat_s):
        return Finding("L4", place.device_subject(), now, active=False, source=source)
    since = local_text(last_seen_at)
    hours = round(silent.total_seconds() / 3600, 1)
    return Finding(
        "L4",
        place.device_subject(),
        now,
        source=source,
        facts={
            **place_facts(place, now),
            "why_zh": f"自 {since} 起没有任何消息（{hours} 小时）",
            "why_en": f"nothing was heard since {since} ({hours} h)",
            "silent_h": hours,
            "last_seen": since,
        },
        evidence=event_evidence(last_event_id, last_seen_at, "最后一次消息", "the last that was heard of it"),
    )


def on_outage(building: str, name: str, gateways: Sequence[str], detectors: int, since: datetime) -> Finding:
    """The one L4 of a building whose gateway is silent: `detectors` are out of reach with it."""
    return Finding(
        "L4",
        Subject(f"building:{building}", None, building, gateways[0] if gateways else None, None),
        since,
        source="outage",
        facts={
            "place_zh": f"楼栋 {name}",
            "place_en": f"building {name}",
            "gateway": ", ".join(gateways),
            "device": f"×{detectors}",
            "at": local_text(since),
            "why_zh": f"网关失联，{detectors} 个烟感无法上报（本地声光仍有效）",
            "why_en": f"the gateway is silent, {detectors} detector(s) cannot report (their own sounders still work)",
            "detectors": detectors,
        },
        evidence=(
            Evidence(
                "estimate", since, Text("网关最后一次消息", "the last that was heard of the gateway"),
                ref=f"gateway:{gateways[0] if gateways else ''}",
            ),
        ),
    )  # fmt: skip
