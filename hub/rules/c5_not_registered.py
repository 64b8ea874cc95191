"""C5: somebody has moved in, and the registry shows no residence registration when it is due."""

from datetime import date, datetime

from hub.domain.entities import Occupant, Unit
from hub.domain.local_time import local_day
from hub.domain.observations import UnitObservations
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.domain.workdays import add_workdays
from hub.rules.findings import about_unit, occupant_evidence
from hub.rules.model import FINE, NOT_TO_AUTHORITY, CannotEvaluate, Rule, Verdict
from hub.rules.policy import Parameters as Base
from hub.rules.policy import Times
from hub.rules.words import BEYOND_CALENDAR

RULE = Rule(
    id="C5",
    version="1",
    alert_class=AlertClass.COMPLIANCE,
    severity="P3",
    title=Text("入住未登记", "Moved in, not registered"),
    trigger=Text(
        "外来人员入住后第1个工作日提醒，到规定工作日仍未见登记即为逾期（升级）",
        "A reminder on the first working day after somebody from elsewhere moved in; overdue after the given "
        "working days",
    ),
    explanation=Text(
        "房屋 {unit} 有 {people} 人入住后台账中未见居住登记，最早应于 {due} 前报送（{state_zh}）。"
        "房东三个工作日内负有报送义务，请核对是否已在别处办理。",
        "Unit {unit}: for {people} resident(s) the registry shows no residence registration; the first was due by "
        "{due} ({state_en}). The landlord has three working days to report; please check "
        "whether it was done elsewhere.",
    ),
    basis=Text(
        "《浙江省流动人口居住登记条例》第9条、第10条（3个工作日）、第34条",
        "Zhejiang Residence Registration Regulation Arts. 9, 10 (three working days), 34",
    ),
    benign=(
        Text("本地户籍，无需居住登记", "A local hukou: no registration needed"),
        Text("已在别处登记，未录入台账", "Registered elsewhere, not yet entered"),
        Text("调休或节假日计算差异", "A holiday that was counted otherwise"),
    ),
    recommended=(
        Text("提醒房东或物业报送，并在台账补录登记日期", "Remind the landlord to report, and enter the date"),
        Text("协助住户自助申报", "Help the residents to declare themselves"),
    ),
    forbidden=(NOT_TO_AUTHORITY, Text("不得因未登记而限制出入", "Do not restrict access over it")),
)


class Parameters(Base, frozen=True, kw_only=True):
    """Reminded and due after so many working days; whether people from here are exempt."""

    remind_workdays: Times
    due_workdays: Times
    local_exempt: bool


def evaluate(unit: Unit, seen: UnitObservations, p: Parameters, now: datetime) -> Verdict:
    """About the residents of today; guests and those of local hukou are not concerned."""
    del seen
    today = local_day(now)
    filed = {found.person_code for found in unit.registrations if found.kind == "residence"}
    late: list[tuple[date, Occupant]] = []
    unclear: Text | None = None
    for occupant in unit.people_on(today):
        if occupant.role == "guest" or occupant.person.code in filed:
            continue
        if p.local_exempt:
            local = is_local(occupant.person.hukou_region, unit.building.jurisdiction)
            if local is None:
                unclear = Text("户籍地区未登记，无法判断是否需要居住登记", "the hukou region is not in the registry")
                continue
            if local:
                continue
        remind = add_workdays(occupant.from_on, p.remind_workdays)
        due = add_workdays(occupant.from_on, p.due_workdays)
        if remind is None or due is None:
            unclear = BEYOND_CALENDAR
        elif today >= remind:
            late.append((due, occupant))
    if not late:
        return CannotEvaluate(unclear) if unclear else FINE
    due = min(day for day, _ in late)
    is_overdue = today > due
    return about_unit(
        "C5",
        unit,
        now,
        {
            "people": len(late),
            "due": due.isoformat(),
            "state_zh": "已逾期" if is_overdue else "临期",
            "state_en": "overdue" if is_overdue else "due soon",
        },
        [occupant_evidence(occupant) for _, occupant in late],
        severity="P2" if is_overdue else "P3",
    )


def due_on(unit: Unit, occupant: Occupant, p: Parameters) -> date | None:
    """By when somebody has to be registered; None for who is registered, a guest or of here, and when it is unclear."""
    filed = {found.person_code for found in unit.registrations if found.kind == "residence"}
    if occupant.role == "guest" or occupant.person.code in filed:
        return None
    if p.local_exempt and is_local(occupant.person.hukou_region, unit.building.jurisdiction) is not False:
        return None
    return add_workdays(occupant.from_on, p.due_workdays)


def is_local(hukou: str, jurisdiction: str) -> bool | None:
    """Whether somebody is no 流动人口 here (Art. 2): of the same county or county-level city, or of the urban districts
    of the same city (last two digits of a district's region code: 01 to 20). None when a code is missing."""
    if len(hukou) != 6 or len(jurisdiction) != 6:
        return None
    if hukou == jurisdiction:
        return True
    same_city = hukou[:4] == jurisdiction[:4]
    return same_city and 1 <= int(hukou[4:]) <= 20 and 1 <= int(jurisdiction[4:]) <= 20
