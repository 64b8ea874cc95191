"""L3: somebody opened a lock under duress. Silent at the door."""

from hub.domain.device_location import Place
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.model import Finding, Rule
from hub.rules.policy import UrgentParameters as Base
from hub.rules.words import event_evidence, place_facts
from wire.events import LockAlarm

RULE = Rule(
    id="L3",
    version="1",
    alert_class=AlertClass.LIFE,
    severity="P0",
    title=Text("胁迫开锁", "Duress"),
    trigger=Text("使用胁迫密码或胁迫指纹开锁", "A duress code or duress finger was used"),
    explanation=Text(
        "{place_zh}的门锁 {device} 于 {at} 收到胁迫信号。请静默处置并由人工拨打 110。",
        "Lock {device} of {place_en} reported duress at {at}. Act silently; a person calls 110.",
    ),
    basis=Text("GA 374-2019 胁迫报警", "GA 374-2019, duress alarm"),
    benign=(Text("误按胁迫码", "The duress code by mistake"),),
    recommended=(
        Text("人工拨打 110，说明房屋位置", "A person calls 110 and says where"),
        Text("按预案静默核实", "Check silently, as rehearsed"),
    ),
    forbidden=(
        Text(
            "不得鸣响、不得远程操作门锁、不得电话惊动现场",
            "No sound, no remote action on the lock, no call to the flat",
        ),
        Text("不得通知可能在场的第三方", "Tell nobody who may be there"),
    ),
    latched=True,
    asks_each_time=True,
)


class Parameters(Base, frozen=True, kw_only=True):
    """Escalates every so many seconds until somebody answers."""


def on_alarm(place: Place, event: LockAlarm, event_id: int) -> Finding:
    """For `duress` alone."""
    at = event.observed_at
    return Finding(
        "L3",
        place.unit_subject(),
        at,
        source=place.key,
        facts=place_facts(place, at),
        evidence=event_evidence(event_id, at, f"门锁 {place.device} 胁迫报警", f"duress alarm of lock {place.device}"),
    )
