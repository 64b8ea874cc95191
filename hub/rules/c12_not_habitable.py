"""C12: a room that is not for living in is let, or somebody is registered in it."""

from datetime import datetime

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.capacity import NOT_HABITABLE
from hub.rules.findings import about_unit, lease_evidence, occupant_evidence
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, Rule, Verdict
from hub.rules.policy import Parameters as Base
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C12",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P2",
    title=Text("非居住空间出租", "A room not for living in is let"),
    trigger=Text(
        "厨房、卫生间、阳台、过道、地下储藏室、车库在台账中有租约或居住人",
        "A kitchen, bathroom, balcony, corridor, basement store or garage has a lease or resident in the registry",
    ),
    explanation=Text(
        "房屋 {unit} 的 {room}（{type}）在台账中登记为单独出租或有人居住，请核对房间类型。",
        "Unit {unit}: {room} ({type}) is let singly or has a resident in the registry; please check the room's type.",
    ),
    basis=Text("《住房租赁条例》第7条、第39条", "Housing Rental Regulation Arts. 7, 39"),
    benign=(Text("房间类型录入错误", "The wrong room type was entered"),),
    recommended=(ASK_POLITELY, Text("请房东停止单独出租该空间", "Ask the landlord not to let that space singly")),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """By the registry alone."""
    del seen, p
    today = local_day(now)
    for room in unit.rooms:
        if room.room_type not in NOT_HABITABLE:
            continue
        pieces = [occupant_evidence(o) for o in unit.people_on(today) if o.room_code == room.code]
        pieces += [
            lease_evidence(lease) for lease in unit.leases if lease.room_code == room.code and lease.runs_on(today)
        ]
        if pieces:
            return about_unit("C12", unit, now, {"room": room.name or room.code, "type": room.room_type}, pieces)
    return FINE
