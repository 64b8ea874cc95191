"""L5: a smoke detector's battery is low, it is too old, or its test is overdue."""

from datetime import date, datetime

from hub.domain.device_location import Place
from hub.domain.observations import DeviceState
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Days, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import place_facts

RULE = Rule(
    id="L5",
    version="1",
    alert_class=AlertClass.LIFE,
    severity="P2",
    title=Text("烟感低电、到期或未检", "Smoke detector worn or untested"),
    trigger=Text(
        "低电标志或电量低于规定值；出厂超过规定年限；超过规定天数未测试",
        "Low-battery flag or charge below the given one; older than the given years; no test for the given days",
    ),
    explanation=Text(
        "{place_zh}的烟感 {device}：{why_zh}。请安排更换或测试。",
        "Smoke detector {device} of {place_en}: {why_en}. Have it replaced or tested.",
    ),
    basis=Text("GB 20517-2025 低电提示；使用年限以厂家标注为准", "GB 20517-2025; life as the maker says"),
    benign=(Text("低温使电压暂时下降", "Cold lowers the voltage for a while"),),
    recommended=(Text("更换电池或探测器并测试", "Replace battery or detector, then test"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """`test_days`: None means that tests are not followed here."""

    battery_pct: Times
    warn_years: Times
    stop_years: Times
    test_days: Days | None


def judge(place: Place, seen: DeviceState, p: Parameters, now: datetime, today: date) -> list[Finding]:
    """Battery, age and test, each on its own: active or cleared."""
    low = bool(seen.battery_low) or (seen.battery_pct is not None and seen.battery_pct <= p.battery_pct)
    charge = "" if seen.battery_pct is None else f" {seen.battery_pct:g}%"
    words = Text(f"电量低{charge}", f"low battery{charge}")
    found = [_finding(place, "battery", words, now, active=low, event_id=seen.health_event_id)]
    made = place.known and (place.known.made_on or place.known.installed_on)
    if made:
        years = (today - made).days / 365.25
        words = Text(
            f"已使用 {years:.1f} 年（{p.stop_years} 年停用）", f"{years:.1f} years old (ends at {p.stop_years})"
        )
        found.append(_finding(place, "age", words, now, active=years >= p.warn_years))
    if p.test_days is not None and seen.tested_at is not None:
        days = (now - seen.tested_at).days
        words = Text(f"已 {days} 天未测试", f"not tested for {days} days")
        found.append(_finding(place, "test", words, now, active=days > p.test_days))
    return found


def _finding(
    place: Place, what: str, words: Text, now: datetime, *, active: bool, event_id: int | None = None
) -> Finding:
    ref = what if event_id is not None else f"device:{place.key}#{what}"
    return Finding(
        "L5",
        place.device_subject(),
        now,
        active=active,
        source=f"{place.key}#{what}",
        facts={**place_facts(place, now), "why_zh": words.zh, "why_en": words.en},
        evidence=(Evidence("record" if event_id is None else "event", now, words, event_id=event_id, ref=ref),),
    )
