"""L1: a smoke detector alarms. One event is enough; nothing debounces, delays or suppresses it."""

from datetime import datetime

from hub.domain.device_location import Place
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import UrgentParameters as Base
from hub.rules.words import event_evidence, people_words, place_facts
from wire.events import FireComponent, SmokeState

RULE = Rule(
    id="L1",
    version="1",
    alert_class=AlertClass.LIFE,
    severity="P0",
    title=Text("烟雾报警", "Smoke alarm"),
    trigger=Text(
        "任一烟感上报报警（非测试）；同楼第二个探测器报警即视为确认",
        "Any smoke detector reports an alarm that is not a test; a second one in the building confirms it",
    ),
    explanation=Text(
        "{place_zh}的烟雾探测器 {device} 于 {at} 报警。{people_zh}（供救援参考）。{confirmed_zh}",
        "Smoke detector {device} in {place_en} alarmed at {at}. {people_en} (for rescue). {confirmed_en}",
    ),
    basis=Text(
        "《民法典》第942条：物业应当及时制止、报告并协助处理消防违法行为；微型消防站“1-3-5”响应",
        "Civil Code Art. 942: property service must act on and report fire dangers; the 1-3-5 rule of micro "
        "fire stations",
    ),
    benign=(
        Text("做饭油烟、蒸汽", "Cooking fumes or steam"),
        Text("灰尘、昆虫进入探测器", "Dust or an insect in the detector"),
        Text("吸烟", "Smoking"),
        Text("按下测试键而设备未标明测试", "The test button, on a device that does not say so"),
    ),
    recommended=(
        Text("立即电话核实并派人到场", "Call at once and send somebody there"),
        Text("确认起火即拨 119 并组织疏散", "If it burns, call 119 and get people out"),
        Text("被静音不等于烟雾消失，仍须到场", "Silenced does not mean clear: go there all the same"),
    ),
    forbidden=(
        Text("未到场核实前不得判为误报关闭", "Do not close it as false before somebody has been there"),
        Text("火情中不得使用电梯疏散", "No lifts while it may burn"),
    ),
    latched=True,
)


class Parameters(Base, frozen=True, kw_only=True):
    """Escalates again and again every so many seconds until somebody answers."""


def on_smoke(
    place: Place, event: SmokeState, event_id: int, *, is_smoke: bool, people: int | None, others: int
) -> Finding | None:
    """`is_smoke`: the detector's state after this event. `others`: other detectors of the building now in alarm."""
    if event.data.test:
        return None
    return _finding(place, event.observed_at, event_id, active=is_smoke, people=people, others=others)


def on_fire_component(
    place: Place, event: FireComponent, event_id: int, *, people: int | None, others: int
) -> Finding | None:
    """A component of a fire-alarm system (GB/T 26875.3, table 8.2.1.2) reports fire, or that it is over."""
    return _finding(
        place, event.observed_at, event_id, active="fire" in event.data.states, people=people, others=others,
        component=event.data.address,
    )  # fmt: skip


def _finding(
    place: Place,
    at: datetime,
    event_id: int,
    *,
    active: bool,
    people: int | None,
    others: int,
    component: str = "",
) -> Finding:
    source = f"{place.key}#{component}" if component else place.key
    if not active:
        return Finding("L1", place.unit_subject(), at, active=False, source=source)
    words = people_words(people)
    return Finding(
        "L1",
        place.unit_subject(),
        at,
        source=source,
        facts={
            **place_facts(place, at),
            "people_zh": words.zh,
            "people_en": words.en,
            "people": -1 if people is None else people,
            "other_detectors": others,
            "confirmed_zh": "同楼另有探测器报警，视为确认，请立即拨打 119。" if others else "",
            "confirmed_en": "Another detector of the building alarms too: call 119 now." if others else "",
        },
        evidence=event_evidence(
            event_id, at, f"烟感 {place.device} 报警{component and f'（部位 {component}）'}",
            f"smoke detector {place.device} alarmed{component and f' (component {component})'}",
        ),
    )  # fmt: skip
