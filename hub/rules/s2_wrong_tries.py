"""S2: credential after credential is refused at a door, or the lock has shut itself off."""

from datetime import datetime, timedelta

from hub.domain.device_location import Place
from hub.domain.observations import DeviceState
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Seconds, Times
from hub.rules.words import event_evidence, place_facts

RULE = Rule(
    id="S2",
    version="1",
    alert_class=AlertClass.SECURITY,
    severity="P2",
    title=Text("连续错误开锁", "Repeated wrong tries"),
    trigger=Text(
        "规定时间内错误开锁达到规定次数，或门锁上报锁定", "So many refused tries in so long, or the lock locks out"
    ),
    explanation=Text(
        "{place_zh}的 {device} 在 {minutes} 分钟内错误开锁 {tries} 次（最近 {at}）。请先联系住户。",
        "{device} of {place_en} refused {tries} tries within {minutes} minutes (last at {at}). Ask the "
        "household first.",
    ),
    basis=Text(
        "GA 374-2019：5分钟内错误达到1–5次应报警", "GA 374-2019: 1 to 5 wrong tries in 5 minutes raise an alarm"
    ),
    benign=(
        Text("忘记密码、儿童玩耍、醉酒", "A forgotten code, a child, somebody drunk"),
        Text("新换的密码或卡", "A new code or card"),
    ),
    recommended=(Text("先联系住户，再决定是否到场", "Ask the household, then decide whether to go"),),
    forbidden=(Text("不得远程开锁", "Do not open the lock from afar"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """So many tries within so many seconds."""

    tries: Times
    window_s: Seconds


def judge(place: Place, seen: DeviceState, p: Parameters, now: datetime) -> Finding:
    """From the refused tries since the last one that was let in. A place is the unit's, or the door's."""
    first = now - timedelta(seconds=p.window_s)
    tries = [found for found in seen.tries if found.at >= first]
    if len(tries) < p.tries:
        return Finding("S2", place.unit_subject(), now, active=False, source=place.key)
    return Finding(
        "S2",
        place.unit_subject(),
        tries[-1].at,
        source=place.key,
        facts={**place_facts(place, tries[-1].at), "tries": len(tries), "minutes": max(1, p.window_s // 60)},
        evidence=tuple(
            Evidence("event", found.at, Text("开锁被拒", "refused"), event_id=found.event_id) for found in tries
        ),
    )


def on_lockout(place: Place, at: datetime, event_id: int, p: Parameters) -> Finding:
    """The lock itself has counted."""
    return Finding(
        "S2",
        place.unit_subject(),
        at,
        source=place.key,
        facts={**place_facts(place, at), "tries": p.tries, "minutes": max(1, p.window_s // 60)},
        evidence=event_evidence(event_id, at, "门锁因多次错误而锁定", "the lock has locked itself out"),
    )
