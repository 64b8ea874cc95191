"""S3: a door has been open for too long."""

from datetime import datetime, timedelta

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
    id="S3",
    version="1",
    alert_class=AlertClass.SECURITY,
    severity="P3",
    title=Text("门未关", "A door left open"),
    trigger=Text(
        "楼栋门、户门打开超过各自的规定时间；超过更长时间升级",
        "A building's or unit's door is open for longer than given for each; more severe after longer",
    ),
    explanation=Text(
        "{place_zh}的门 {device} 自 {since} 起未关（{minutes} 分钟）。",
        "Door {device} of {place_en} has been open since {since} ({minutes} min).",
    ),
    basis=Text("运行要求", "Operational requirement"),
    benign=(
        Text("搬家、通风", "Moving, airing"),
        Text("门磁间隙过大", "A contact with too wide a gap"),
    ),
    recommended=(Text("楼栋门到场查看，户门提醒住户", "Building: have a look. Unit: tell the household"),),
    forbidden=(Text("未经同意不得入户", "Do not enter without consent"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """How long a building's and a unit's door may be open, and when it is more severe."""

    building_s: Seconds
    unit_s: Seconds
    severe_s: Seconds


def allowed(place: Place, p: Parameters) -> timedelta:
    """How long this door may be open."""
    is_building = place.placement in {"building_entrance", "exit_door", "corridor", "common"} or place.unit is None
    return timedelta(seconds=p.building_s if is_building else p.unit_s)


def judge(place: Place, seen: DeviceState, p: Parameters, now: datetime) -> Finding:
    """Active when the door is open for too long; otherwise a clearing finding."""
    since = seen.door_open_since
    if since is None or now - since < allowed(place, p):
        return Finding("S3", place.device_subject(), now, active=False, source=place.key)
    return Finding(
        "S3",
        place.device_subject(),
        now,
        source=place.key,
        severity="P2" if now - since >= timedelta(seconds=p.severe_s) else None,
        facts={
            **place_facts(place, now),
            "since": local_text(since),
            "minutes": int((now - since).total_seconds() // 60),
        },
        evidence=event_evidence(seen.door_event_id or 0, since, "门打开", "the door opened"),
    )


def on_held_open(place: Place, at: datetime, event_id: int) -> Finding:
    """The lock itself says that the door is held open."""
    return Finding(
        "S3",
        place.device_subject(),
        at,
        source=place.key,
        facts={**place_facts(place, at), "since": local_text(at), "minutes": 0},
        evidence=event_evidence(event_id, at, "门锁上报门未关", "the lock says the door is held open"),
    )


def next_check(place: Place, seen: DeviceState, p: Parameters, now: datetime) -> datetime | None:
    """When to look again, if the door stays open."""
    if seen.door_open_since is None:
        return None
    for limit in (allowed(place, p), timedelta(seconds=p.severe_s)):
        if seen.door_open_since + limit > now:
            return seen.door_open_since + limit
    return None
