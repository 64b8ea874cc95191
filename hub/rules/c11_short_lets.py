"""C11: so many short-lived credentials that the unit seems to be let by the night, or sublet without consent."""

from datetime import datetime, timedelta

from hub.domain.entities import Credential, Unit
from hub.domain.local_time import local_day, start_of
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.rules.findings import about_unit, lease_evidence
from hub.rules.model import FINE, NO_ACTUATION, NOT_TO_AUTHORITY, Evidence, Rule, Verdict
from hub.rules.policy import Days, Times
from hub.rules.policy import Parameters as Base
from hub.rules.words import ASK_POLITELY

RULE = Rule(
    id="C11",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("疑似短租或转租", "Possibly let by the night, or sublet"),
    trigger=Text(
        "规定天数内有规定个数的临时凭证（每个有效不超过规定夜数），或台账有未经同意的转租",
        "The given number of temporary credentials, each valid for at most the given nights, within the given "
        "days; or a "
        "sublease without consent in the registry",
    ),
    explanation=Text(
        "房屋 {unit}：{why_zh}。台账中未见短租备案或转租同意，请与房东核对。",
        "Unit {unit}: {why_en}. The registry shows no filing of short lets and no consent; please check with the "
        "landlord.",
    ),
    basis=Text(
        "《民法典》第716条、第718条（知道转租6个月未异议视为同意）；按日出租适用住宿登记",
        "Civil Code Arts. 716, 718 (six months of silence is consent); lets by the day fall under lodging registration",
    ),
    benign=(
        Text("亲友来访", "Family visits"),
        Text("家教、保洁轮班", "Tutoring, a rota of cleaners"),
    ),
    recommended=(ASK_POLITELY,),
    forbidden=(NO_ACTUATION, NOT_TO_AUTHORITY, Text("不得收集访客身份", "Do not collect visitors' identities")),
)


class Parameters(Base, frozen=True, kw_only=True):
    """So many credentials of at most so many nights within so many days."""

    credentials: Times
    nights: Times
    window_days: Days


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """Counts credentials only; who held them does not matter."""
    del seen
    today = local_day(now)
    since = start_of(today - timedelta(days=p.window_days - 1))
    short = [held for held in unit.credentials if _is_short(held, p.nights) and _began(held, since, now)]
    if len(short) >= p.credentials:
        why_zh = f"近 {p.window_days} 天有 {len(short)} 个有效期不超过 {p.nights} 夜的临时凭证"
        why_en = f"{len(short)} temporary credentials of at most {p.nights} nights within {p.window_days} days"
        pieces = [
            Evidence(
                "record", held.valid_from or held.entered_at, Text("临时凭证", "temporary credential"), ref=held.ref
            )
            for held in short
        ]
        return about_unit("C11", unit, max(e.at for e in pieces), {"why_zh": why_zh, "why_en": why_en}, pieces)
    for lease in unit.leases:
        if lease.parent_lease_code is not None and lease.sublease_consent is False and lease.runs_on(today):
            facts = {"why_zh": f"租约 {lease.code} 为转租且未见同意", "why_en": f"lease {lease.code} is a sublease"}
            return about_unit("C11", unit, now, facts, [lease_evidence(lease)])
    return FINE


def _is_short(held: Credential, nights: int) -> bool:
    return (
        held.purpose == "temporary"
        and held.valid_from is not None
        and held.valid_to is not None
        and held.valid_to - held.valid_from <= timedelta(days=nights, hours=12)
    )


def _began(held: Credential, since: datetime, now: datetime) -> bool:
    return held.valid_from is not None and since <= held.valid_from <= now
