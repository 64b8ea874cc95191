"""W1: nothing was heard from somebody who asked to be looked after. Opt-in, revocable at once, never to the police."""

from datetime import datetime, timedelta

from hub.domain.entities import Unit
from hub.domain.local_time import CHINA, local_text
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit
from hub.rules.model import FINE, CannotEvaluate, Evidence, Rule, Verdict
from hub.rules.policy import Hours
from hub.rules.policy import Parameters as Base
from hub.rules.words import DARK

RULE = Rule(
    id="W1",
    version="1",
    alert_class=AlertClass.WELFARE,
    severity="P2",
    title=Text("独居长者无活动", "No sign of activity"),
    trigger=Text(
        "自愿加入关怀的住户达到规定小时没有门、锁或人数活动，且未设为外出",
        "A household that asked for it showed no activity of door, lock or counter for the given hours, and is "
        "not away",
    ),
    explanation=Text(
        "房屋 {unit} 自 {last} 起 {hours} 小时没有活动记录。请先联系紧急联系人，再上门探视。",
        "Unit {unit}: no activity since {last} ({hours} h). Call the emergency contact first, then visit.",
    ),
    basis=Text("住户书面同意的关怀服务", "A service that the household asked for in writing"),
    benign=(
        Text("去子女家、住院", "At a daughter's, in hospital"),
        Text("设备没电", "A dead battery"),
        Text("忘记设置外出", "Forgot to say that they are away"),
    ),
    recommended=(Text("联系人一 → 联系人二 → 物业或网格员上门", "First contact, second contact, then a visit"),),
    forbidden=(
        Text("不得自动拨打 110", "Never call the police automatically"),
        Text("不得用于其他目的", "Never for another purpose"),
    ),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Quiet for so long; for those enrolled for daytime, so long between six and midnight."""

    quiet_h: Hours
    daytime_h: Hours


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About units that are enrolled now."""
    care = unit.welfare
    if care is None or (care.withdrawn_at is not None and care.withdrawn_at <= now):
        return FINE
    if care.away_until is not None and now <= care.away_until:
        return FINE
    if seen.is_dark:
        return CannotEvaluate(DARK)
    # Nothing ever: then since the door's devices were first heard, for they would have told.
    known = [at for at in (seen.last_activity_at, care.away_until) if at is not None]
    last = max(known) if known else seen.watched_since
    if last is None:
        return CannotEvaluate(Text("尚无活动记录", "no activity was ever recorded"))
    hours = (now - last).total_seconds() / 3600
    if hours < p.quiet_h and not (care.daytime_only and _daytime_hours(last, now) >= p.daytime_h):
        return FINE
    return about_unit(
        "W1",
        unit,
        now,
        {"last": local_text(last), "hours": int(hours)},
        [
            Evidence(
                "estimate",
                last,
                Text("最近一次活动", "the last activity"),
                ref=f"activity:{unit.code}:{last.isoformat()}",
            )
        ],
    )


def _daytime_hours(last: datetime, now: datetime) -> float:
    """Hours since the later of `last` and six in the morning, when it is past six."""
    here = now.astimezone(CHINA)
    morning = here.replace(hour=6, minute=0, second=0, microsecond=0)
    return max(0.0, (here - max(last, morning)) / timedelta(hours=1)) if here >= morning else 0.0
