"""L8: an emergency exit is locked, jammed or out of order."""

from hub.domain.device_location import Place
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import Parameters as Base
from hub.rules.words import event_evidence, place_facts
from wire.events import DeviceHealth, LockState

RULE = Rule(
    id="L8",
    version="1",
    alert_class=AlertClass.LIFE,
    severity="P1",
    title=Text("紧急出口被锁", "Emergency exit locked"),
    trigger=Text(
        "标记为紧急出口的门锁上报上锁、卡死或故障", "A lock placed at an emergency exit says locked, jammed or faulty"
    ),
    explanation=Text(
        "{place_zh}的紧急出口 {device} 于 {at} {why_zh}。疏散通道必须畅通，请立即处理。",
        "Emergency exit {device} of {place_en}: {why_en} at {at}. The way out must be free; act at once.",
    ),
    basis=Text("《消防法》疏散通道、安全出口畅通；《民法典》第942条", "Fire law: exits stay free; Civil Code Art. 942"),
    benign=(Text("检修中", "Maintenance"),),
    recommended=(Text("立即到场打开并检查", "Go there, open it, check it"),),
    forbidden=(Text("修复前不得关闭该预警", "Do not close the alert before it is mended"),),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Nothing of its own."""


_STATES = {"locked": ("上锁", "is locked"), "jammed": ("卡死", "is jammed")}


def on_state(place: Place, event: LockState, event_id: int) -> Finding:
    """Active while the exit is locked or jammed."""
    return _finding(place, event, event_id, "state", _STATES.get(event.data.state, ("", "")))


def on_fault(place: Place, event: DeviceHealth, event_id: int) -> Finding:
    """Active while its lock reports a fault."""
    words = ("故障", "is out of order") if event.data.fault else ("", "")
    return _finding(place, event, event_id, "fault", words)


def _finding(
    place: Place, event: LockState | DeviceHealth, event_id: int, what: str, words: tuple[str, str]
) -> Finding:
    at = event.observed_at
    zh, en = words
    return Finding(
        "L8",
        place.device_subject(),
        at,
        active=bool(zh),
        source=f"{place.key}#{what}",
        facts={**place_facts(place, at), "why_zh": zh, "why_en": en},
        evidence=event_evidence(event_id, at, f"紧急出口{zh}", f"the exit {en}") if zh else (),
    )
