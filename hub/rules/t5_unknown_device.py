"""T5: a gateway of ours reports a device that the registry does not have."""

from datetime import datetime

from hub.domain.device_location import Place
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.words import event_evidence, place_facts

RULE = Rule(
    id="T5",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P1",
    title=Text("未知设备", "Unknown device"),
    trigger=Text(
        "本单位网关上报了台账中没有、也未标明房屋的设备",
        "A gateway of ours reports a device that is not in the registry and names no unit that is",
    ),
    explanation=Text(
        "网关 {gateway} 上报了台账中未见的设备 {device}。请登记其位置，或查明来源。",
        "Gateway {gateway} reports device {device}, which the registry does not show. Enter its place, or find "
        "out what it is.",
    ),
    basis=Text(
        "运行要求：来源不明的数据不作依据", "Operational requirement: data of unknown origin is not relied upon"
    ),
    benign=(Text("新装设备尚未登记", "A new device that is not entered yet"),),
    recommended=(
        Text("在台账中登记设备位置", "Enter the device's place"),
        Text("来源不明的从网关移除", "Remove a stranger"),
    ),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


def is_known(place: Place) -> bool:
    """Whether the registry has the device, or the unit that it names."""
    return place.known is not None or place.unit is not None


def judge(place: Place, event_id: int, at: datetime) -> Finding:
    """For a device of an adopted gateway: active while the registry has no place for it."""
    if is_known(place):
        return Finding("T5", place.device_subject(), at, active=False, source=place.key)
    return Finding(
        "T5",
        place.device_subject(),
        at,
        source=place.key,
        facts=place_facts(place, at),
        evidence=event_evidence(event_id, at, "来自未知设备的事件", "an event of an unknown device"),
    )
