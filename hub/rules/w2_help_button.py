"""W2: somebody pressed a help button. Answered as life safety is, at any hour; never passed on by itself.

Who asked for the button is in the registry, by a consent of its own that ends at once. A press where nobody asked for
it (or no longer does) is raised all the same, for somebody may lie there: it says so, and that the button must go or
the consent be renewed.
"""

from datetime import datetime

from hub.domain.device_location import Place
from hub.domain.entities import HelpService
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import UrgentParameters as Base
from hub.rules.words import event_evidence, place_facts
from wire.events import HelpCall

RULE = Rule(
    id="W2",
    version="1",
    # By its id a matter of care, by its class one of life: queue, banner, sound, night and escalation are those of L1.
    alert_class=AlertClass.LIFE,
    severity="P0",
    title=Text("长者求助", "Call for help"),
    trigger=Text(
        "求助按钮被按下；一次即报警，未登记的房屋同样报警",
        "A help button is pressed; once is enough, and a unit that is not enrolled counts too",
    ),
    explanation=Text(
        "{place_zh}的求助按钮 {device} 于 {at} 被按下。请立即联系并派人查看。{enrolled_zh}",
        "Help button {device} of {place_en} was pressed at {at}. Call, and send somebody now. {enrolled_en}",
    ),
    basis=Text("住户单独书面同意的求助服务", "A service that the household asked for, by a paper of its own"),
    benign=(
        Text("装在口袋里误按", "Pressed in a pocket"),
        Text("儿童或访客按着玩", "A child or a guest tried it"),
        Text("试按而未事先说明", "Tried out without saying so first"),
    ),
    recommended=(
        Text("立即电话联系住户，无人接听即上门", "Call the household at once; no answer: go there"),
        Text("通知登记的紧急联系人", "Tell the contact whom the household named"),
        Text("需要救护时由人工拨打 120", "If somebody is hurt or ill, a person calls 120"),
    ),
    forbidden=(
        Text("未见到或听到本人不得判为误按关闭", "Not a mistake before somebody has seen or heard the person"),
        Text("不得自动拨打 110、120 或报送任何部门", "Never call or tell an authority automatically"),
        Text("不得用于其他目的，不得统计个人按键次数", "Never for another purpose; nobody's presses are counted"),
    ),
    latched=True,
    asks_each_time=True,
)  # fmt: skip

_ENROLLED = Text("该户已登记求助服务。", "The household asked for this service.")
_ENDED = Text(
    "该户已撤回求助服务：先去看人，再拆除按钮或重新征得同意。",
    "The household has withdrawn from this service: see to the person first, then take it away or ask again.",
)
_NOT_ENROLLED = Text(
    "该户未登记求助服务：先去看人，再征得同意登记或拆除按钮。",
    "The household did not ask for this service: see to the person first, then ask for consent or take it away.",
)
_NOWHERE = Text("该按钮不在任何房屋名下：请按设备位置查找。", "The button belongs to no unit of the registry: find it.")


class Parameters(Base, frozen=True, kw_only=True):
    """Escalates again and again every so many seconds until somebody answers."""


def on_call(place: Place, event: HelpCall, event_id: int, held: HelpService | None) -> Finding:
    """`held`: what the registry has of the unit's help service. A call that was taken back is cleared, not closed."""
    at = event.observed_at
    if event.data.cancelled:
        return Finding("W2", place.unit_subject(), at, active=False, source=place.key)
    words = enrolment_words(place, held, at)
    return Finding(
        "W2",
        place.unit_subject(),
        at,
        source=place.key,
        facts={**place_facts(place, at), "enrolled_zh": words.zh, "enrolled_en": words.en},
        evidence=event_evidence(
            event_id, at, f"求助按钮 {place.device} 被按下", f"help button {place.device} was pressed"
        ),
    )


def enrolment_words(place: Place, held: HelpService | None, at: datetime) -> Text:
    """What the people on duty must know of the consent."""
    if place.unit is None:
        return _NOWHERE
    if held is None:
        return _NOT_ENROLLED
    return _ENROLLED if held.holds_at(at) else _ENDED
