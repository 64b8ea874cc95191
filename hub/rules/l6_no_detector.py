"""L6: a building in which many live has rooms or common parts without a smoke detector."""

from datetime import date, datetime

from hub.domain.local_time import local_day
from hub.domain.subject import AlertClass, Subject
from hub.domain.text import Text
from hub.rules.building import BuildingContents
from hub.rules.model import FINE, CannotEvaluate, Evidence, Finding, Rule, Verdict
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Times

RULE = Rule(
    id="L6",
    version="1",
    alert_class=AlertClass.LIFE,
    severity="P2",
    title=Text("烟感覆盖缺失", "Rooms without a smoke detector"),
    trigger=Text(
        "出租房间或居住人数达到规定数量的楼栋，有房间或公共部位没有烟感",
        "A building with the given number of let rooms or residents has a room or common part without a detector",
    ),
    explanation=Text(
        "楼栋 {building} 出租 {rooms} 间、台账在住 {people} 人，有 {missing} 处未见烟感：{where}。",
        "Building {building} lets {rooms} rooms to {people} residents; {missing} place(s) without a detector: {where}.",
    ),
    basis=Text(
        "居住出租房消防要求（≥10间或≥15人，每间及公共部位设烟感）",
        "Fire rules for rental dwellings (≥10 rooms or ≥15 people)",
    ),
    benign=(
        Text("房间清单有误", "A wrong list of rooms"),
        Text("烟感未录入台账", "A detector that is not entered"),
    ),
    recommended=(Text("补装烟感，或补录台账", "Fit detectors, or enter them"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """From so many rooms or people; None: the jurisdiction's threshold is not known."""

    rooms: Times | None
    people: Times | None


def is_required(seen: BuildingContents, p: Parameters, today: date) -> bool | None:
    """Whether the building has to have detectors; None when the threshold is not known."""
    if p.rooms is None and p.people is None:
        return None
    return (p.rooms is not None and seen.rooms(today) >= p.rooms) or (
        p.people is not None and seen.people(today) >= p.people
    )


def evaluate(seen: BuildingContents, p: Parameters, now: datetime) -> Verdict:
    """About one building."""
    today = local_day(now)
    required = is_required(seen, p, today)
    if required is None:
        return CannotEvaluate(Text("本地区烟感设置门槛未知", "the threshold of this jurisdiction is not known"))
    if not required:
        return FINE
    rooms, people = seen.rooms(today), seen.people(today)
    missing = seen.uncovered(today)
    if not missing:
        return FINE
    building = seen.building
    return Finding(
        "L6",
        Subject(f"building:{building.code}", None, building.code),
        now,
        source="coverage",
        facts={
            "building": building.name,
            "rooms": rooms,
            "people": people,
            "missing": len(missing),
            "where": ", ".join(missing[:10]) + ("…" if len(missing) > 10 else ""),
        },
        evidence=tuple(
            Evidence(
                "record", now, Text(f"{code} 未见烟感", f"no detector: {code}"), ref=f"coverage:{building.code}:{code}"
            )
            for code in missing[:50]
        ),
    )
