"""S5: a counting camera is covered, or was moved."""

from datetime import datetime, timedelta
from typing import Final

from hub.domain.device_location import Place
from hub.domain.local_time import local_text
from hub.domain.observations import DeviceState
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Seconds
from hub.rules.words import event_evidence, place_facts

RULE = Rule(
    id="S5",
    version="1",
    alert_class=AlertClass.SECURITY,
    severity="P3",
    title=Text("摄像被遮挡或移位", "Camera covered or moved"),
    trigger=Text("计数设备持续遮挡或移位超过规定时间", "A counter says covered or moved for longer than given"),
    explanation=Text(
        "{place_zh}的计数设备 {device} 自 {since} 起{why_zh}，其间的人数不作依据。",
        "Counter {device} of {place_en} has been {why_en} since {since}; counts of that time are not relied upon.",
    ),
    basis=Text("运行要求", "Operational requirement"),
    benign=(Text("光线昏暗、保洁擦拭", "Darkness, cleaning"),),
    recommended=(Text("到场查看镜头与安装", "Look at lens and mounting"),),
    forbidden=(Text("不得调取或保存画面", "Do not fetch or keep any picture"),),
)

_STATES: Final = {"covered": ("被遮挡", "covered"), "moved": ("移位", "moved")}


class Parameters(Base, frozen=True, kw_only=True):
    """For so long."""

    after_s: Seconds


def judge(place: Place, seen: DeviceState, p: Parameters, now: datetime) -> Finding:
    """Active while the camera is covered or moved for too long."""
    since = seen.camera_since
    if seen.camera not in _STATES or since is None or now - since < timedelta(seconds=p.after_s):
        return Finding("S5", place.device_subject(), now, active=False, source=place.key)
    zh, en = _STATES[seen.camera]
    return Finding(
        "S5",
        place.device_subject(),
        now,
        source=place.key,
        facts={**place_facts(place, now), "since": local_text(since), "why_zh": zh, "why_en": en},
        evidence=event_evidence(seen.camera_event_id or 0, since, f"上报{zh}", f"it said {en}"),
    )


def next_check(seen: DeviceState, p: Parameters, now: datetime) -> datetime | None:
    """When to look, if it stays so."""
    if seen.camera not in _STATES or seen.camera_since is None:
        return None
    at = seen.camera_since + timedelta(seconds=p.after_s)
    return at if at > now else None
