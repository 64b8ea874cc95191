"""S6: a credential that was revoked or has expired is tried again and again."""

from datetime import datetime, timedelta

from hub.domain.device_location import Place
from hub.domain.observations import DeviceState
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import Hours, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import place_facts

RULE = Rule(
    id="S6",
    version="1",
    alert_class=AlertClass.SECURITY,
    severity="P3",
    title=Text("失效凭证尝试", "A revoked credential was tried"),
    trigger=Text(
        "已注销或过期的凭证在规定小时内被拒达到规定次数",
        "A credential that was revoked or expired was refused the given number of times within the given hours",
    ),
    explanation=Text(
        "{place_zh}的 {device} 在 {hours} 小时内拒绝同一失效凭证 {tries} 次（最近 {at}）。可能是原租客取物，"
        "请先电话了解。",
        "{device} of {place_en} refused the same invalid credential {tries} times within {hours} h (last at "
        "{at}). It may be "
        "the former tenant fetching something; ask first.",
    ),
    basis=Text("运行要求", "Operational requirement"),
    benign=(Text("原租客取信件、物品", "The former tenant fetching mail or belongings"),),
    recommended=(Text("联系原租客或房东", "Ask the former tenant or the landlord"),),
    forbidden=(Text("不得公开凭证持有人", "Do not make the holder public"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """So many times within so many hours."""

    tries: Times
    window_h: Hours


def judge(place: Place, seen: DeviceState, p: Parameters, at: datetime) -> Finding | None:
    """From the refusals of credentials that are no longer valid."""
    since = at - timedelta(hours=p.window_h)
    recent = [found for found in seen.invalid if found.at >= since]
    for ref in dict.fromkeys(found.ref for found in recent):
        tries = [found for found in recent if found.ref == ref]
        if len(tries) >= p.tries:
            return Finding(
                "S6",
                place.device_subject(),
                tries[-1].at,
                source=place.key,
                facts={**place_facts(place, tries[-1].at), "tries": len(tries), "hours": round(p.window_h)},
                evidence=tuple(
                    Evidence("event", t.at, Text("失效凭证被拒", "invalid credential refused"), event_id=t.event_id)
                    for t in tries
                ),
            )
    return None
