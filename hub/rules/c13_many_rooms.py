"""C13: a building is let in so many rooms that it must have a manager and a register."""

from datetime import datetime

from hub.domain.local_time import local_day
from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.building import BuildingContents
from hub.rules.model import FINE, NOT_TO_AUTHORITY, CannotEvaluate, Evidence, Finding, Rule, Verdict
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Times

RULE = Rule(
    id="C13",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("集中出租门槛", "Let in many rooms"),
    trigger=Text(
        "出租间数或居住人数达到当地门槛，而台账中未见管理人员或登记簿",
        "Rooms let, or residents, reach the local threshold, and the registry shows no manager or no register",
    ),
    explanation=Text(
        "楼栋 {building} 出租 {rooms} 间、台账在住 {people} 人，达到当地集中出租门槛，台账中未见{why_zh}，请核对。",
        "Building {building} lets {rooms} rooms to {people} residents, which reaches the local threshold; the "
        "registry shows "
        "{why_en}; please check.",
    ),
    basis=Text(
        "《杭州市居住房屋出租安全管理若干规定》；《上海市居住房屋租赁管理办法》", "Hangzhou and Shanghai rental rules"
    ),
    benign=(Text("只有部分房间出租", "Only part of it is let"), Text("已配备，未录入", "There is one, not entered")),
    recommended=(
        Text("请房东配备管理人员、建立登记簿并补录", "Ask the landlord for a manager and a register; enter them"),
    ),
    forbidden=(NOT_TO_AUTHORITY,),
)


class Parameters(Base, frozen=True, kw_only=True):
    """From so many rooms or people; both None: the jurisdiction's threshold is not known."""

    rooms: Times | None
    people: Times | None
    not_applicable: bool


def evaluate(seen: BuildingContents, p: Parameters, now: datetime) -> Verdict:
    """About one building."""
    if p.not_applicable:
        return FINE
    if p.rooms is None and p.people is None:
        return CannotEvaluate(Text("本地区集中出租门槛未知", "the threshold of this jurisdiction is not known"))
    today = local_day(now)
    rooms, people = seen.rooms(today), seen.people(today)
    building = seen.building
    if not ((p.rooms is not None and rooms >= p.rooms) or (p.people is not None and people >= p.people)):
        return FINE
    missing = [
        words
        for is_there, words in (
            (building.has_manager, ("管理人员", "no manager")),
            (building.keeps_register, ("登记簿", "no register")),
        )
        if not is_there
    ]
    if not missing:
        return FINE
    return Finding(
        "C13",
        Subject(f"building:{building.code}", None, building.code),
        now,
        source="building",
        facts={
            "building": building.name,
            "rooms": rooms,
            "people": people,
            "why_zh": "、".join(zh for zh, _ in missing),
            "why_en": " and ".join(en for _, en in missing),
        },
        evidence=(
            Evidence(
                "record", now, Text(f"台账：{rooms} 间、{people} 人", f"registry: {rooms} rooms, {people} people"),
                ref=f"building:{building.code}",
            ),
        ),
    )  # fmt: skip
