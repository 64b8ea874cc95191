"""C10: somebody is registered here whose credential has not been used for a month."""

from datetime import datetime, timedelta

from hub.domain.entities import Credential, Occupant, Unit
from hub.domain.local_time import local_day, start_of
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, credential_evidence, occupant_evidence
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Days
from hub.rules.policy import Parameters as Base
from hub.rules.words import ASK_POLITELY, DARK

RULE = Rule(
    id="C10",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P4",
    title=Text("长期未居住", "Registered, but not seen for long"),
    trigger=Text(
        "台账在住人的凭证达到规定天数未使用（无联网门锁的不作判断）",
        "A resident's credential was not used for the given days (not judged without a connected lock)",
    ),
    explanation=Text(
        "房屋 {unit} 有 {people} 名台账在住人的凭证已 {days} 天未使用（最近 {last}）。台账中未见外出说明，请礼貌核对。",
        "Unit {unit}: the credentials of {people} registered resident(s) have not been used for {days} days "
        "(last {last}). "
        "The registry shows no note of an absence; please ask politely.",
    ),
    basis=Text(
        "《浙江省流动人口居住登记条例》第9条第2款、第13条（信息变更）",
        "Zhejiang Residence Registration Regulation Arts. 9(2), 13 (changes)",
    ),
    benign=(
        Text("出差、探亲", "A business trip, a family visit"),
        Text("共用他人的凭证或钥匙", "Shares somebody's credential or key"),
        Text("住院", "In hospital"),
    ),
    recommended=(ASK_POLITELY,),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Unused for so many days."""

    unused_days: Days


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """Of residents who have a credential of their own."""
    if not seen.has_lock or seen.lock_since is None:
        return CannotEvaluate(Text("没有联网门锁的使用记录", "no connected lock has been heard of"))
    if seen.is_dark:
        return CannotEvaluate(DARK)
    limit = timedelta(days=p.unused_days)
    if now - seen.lock_since < limit or (seen.lock_seen_at is not None and now - seen.lock_seen_at > timedelta(days=2)):
        return CannotEvaluate(Text("门锁记录不足规定天数", "the lock has not been heard of for that long"))
    quiet: list[tuple[datetime | None, Occupant, Credential]] = []
    for occupant in unit.people_on(local_day(now)):
        if occupant.role == "guest" or now - start_of(occupant.from_on) < limit:
            continue
        held = [c for c in unit.credentials if c.person_code == occupant.person.code and not c.is_invalid_at(now)]
        if not held or any(now - max(c.entered_at, c.valid_from or c.entered_at) < limit for c in held):
            continue
        last = max((at for c in held if (at := (seen.last_use or {}).get(c.ref)) is not None), default=None)
        if last is None or now - last >= limit:
            quiet.append((last, occupant, held[0]))
    if not quiet:
        return FINE
    last = max((at for at, _, _ in quiet if at is not None), default=None)
    since = last or seen.lock_since
    return about_unit(
        "C10",
        unit,
        now,
        {"people": len(quiet), "days": (now - since).days, "last": local_day(last).isoformat() if last else "—"},
        [piece for _, o, c in quiet for piece in (occupant_evidence(o), credential_evidence(c))],
    )
