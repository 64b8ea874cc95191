"""T3: a lock's or another device's battery runs down; a lock with an empty one shuts people out."""

from datetime import datetime

from hub.domain.device_location import Place
from hub.domain.observations import DeviceState
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Times
from hub.rules.words import place_facts

RULE = Rule(
    id="T3",
    version="1",
    alert_class=AlertClass.TECHNICAL,
    severity="P3",
    title=Text("门锁电量低", "Lock battery low"),
    trigger=Text(
        "电量低于规定值；更低时升级（可能无法开门）", "Charge below the given one; more severe when lower still"
    ),
    explanation=Text(
        "{place_zh}的 {device} 电量 {charge}，请及时更换电池，避免住户被锁在门外。",
        "{device} of {place_en} has {charge} left; change the battery before somebody is locked out.",
    ),
    basis=Text("GA 374-2019 欠压指示", "GA 374-2019, low-battery indication"),
    benign=(Text("低温使电压暂时下降", "Cold lowers the voltage for a while"),),
    recommended=(Text("通知住户或安排更换电池", "Tell the household, or have the battery changed"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Low, and severely low, in per cent. `clear_pct`: how much above `low_pct` ends it."""

    low_pct: Times
    severe_pct: Times
    clear_above_pct: Times


def judge(place: Place, was: DeviceState, seen: DeviceState, p: Parameters, at: datetime) -> Finding | None:
    """From what the device last said of its battery; None between the limit and where it counts as changed."""
    charge = seen.battery_pct
    low = (charge is not None and charge < p.low_pct) or (charge is None and seen.battery_low is True)
    if not low:
        if charge is not None and charge <= p.low_pct + p.clear_above_pct and not seen.battery_low:
            return None
        return Finding("T3", place.device_subject(), at, active=False, source=place.key)
    is_severe = charge is not None and charge < p.severe_pct
    was_severe = was.battery_pct is not None and was.battery_pct < p.severe_pct
    return Finding(
        "T3",
        place.device_subject(),
        at,
        source=place.key,
        severity="P2" if is_severe else None,
        facts={**place_facts(place, at), "charge": "低电" if charge is None else f"{charge:g}%"},
        # One piece for low and one for severely low, not one for every per cent.
        evidence=(
            (Evidence("event", at, Text("电量过低", "severely low"), event_id=seen.health_event_id, ref="severe"),)
            if is_severe and not was_severe
            else (Evidence("event", at, Text("电量低", "low"), ref="low"),)
            if not is_severe
            else ()
        ),
    )
