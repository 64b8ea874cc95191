"""What every figure of the monthly report is called and what it counts: the page, the PDF and the sheet share these."""

from typing import Final, Literal

from hub.domain.text import Text
from hub.report.views import Definition

Form = Literal["number", "share", "seconds"]


def _is(key: str, zh: str, en: str, meaning_zh: str, meaning_en: str, *, form: Form = "number") -> Definition:
    return Definition(key=key, title=Text(zh, en), meaning=Text(meaning_zh, meaning_en), form=form)


DEFINITIONS: Final[tuple[Definition, ...]] = (
    _is("buildings", "楼栋", "Buildings", "期末台账中的楼栋数", "buildings in the registry at the end"),
    _is("units", "房屋", "Units", "期末台账中的房屋套数", "units in the registry at the end"),
    _is(
        "let_units",
        "出租房屋",
        "Let units",
        "期末有租约履行中，或租期届满但台账未记终止的房屋",
        "units whose lease runs, or ran out without having been ended in the registry",
    ),
    _is(
        "residents",
        "登记居住人数",
        "Residents",
        "期末台账在住人数，每人每套计一次",
        "people living in a unit by the registry",
    ),
    _is(
        "registered_share",
        "居住登记率",
        "Registered residents",
        "期末在住人员（访客除外）中，台账已记居住登记的比例",
        "of residents who are no guests, those whose residence registration is in the registry",
        form="share",
    ),
    _is(
        "filed_share",
        "租赁备案率",
        "Filed contracts",
        "期末履行中的租约中，台账已记租赁备案的比例",
        "of running leases, those whose filing is in the registry",
        form="share",
    ),
    _is(
        "without_grid_worker",
        "无网格员的房屋",
        "Units nobody is responsible for",
        "期末台账未指定网格员的房屋",
        "units without a grid worker in the registry",
    ),
    _is(
        "detector_places",
        "应有烟感处",
        "Places for a detector",
        "期末出租房屋的居室数，加每栋公共部位一处",
        "rooms to live in of let units, and the common parts of each building",
    ),
    _is(
        "detector_share",
        "烟感覆盖率",
        "Detector coverage",
        "应有烟感处中，台账已登记烟感的比例",
        "of places for a detector, those that have one in the registry",
        form="share",
    ),
    _is(
        "detectors_required_missing",
        "按规定缺烟感处",
        "Required and missing",
        "规则包要求设烟感的楼栋中（L6），未登记烟感的处数；门槛未知的楼栋不计",
        "places without one in buildings where the rule pack asks for detectors (L6); unknown thresholds are left out",
    ),
    _is(
        "gateways",
        "网关",
        "Gateways",
        "期内在范围内的楼栋中曾有数据的网关",
        "gateways of the scope that had been heard by the end",
    ),
    _is(
        "uptime_share",
        "网关在线率",
        "Gateway uptime",
        "各网关有数据的钟点数 ÷ 自首次上线起应有的钟点数（期内补传的数据计入其发生的钟点）",
        "hours with data, of the hours since each was first heard; data sent later counts for its own hour",
        form="share",
    ),
    _is(
        "nights_share",
        "夜间人数可判断率",
        "Nights that could be judged",
        "装有计数设备的房屋中，夜间（2 至 5 时）作出人数估计而未弃权的比例",
        "of nights (2 to 5 h) of counted places, those with an estimate and no abstention",
        form="share",
    ),
    _is(
        "events",
        "入库事件",
        "Stored events",
        "期内收到并入库的设备事件；进出人数随时间合并，不在此列",
        "events of devices that were stored in the month; head counts, which are merged later, are left out",
    ),
    _is(
        "rejected",
        "拒收批次",
        "Rejected batches",
        "期内首次收到的不合约定的消息",
        "messages that broke the contract, when first received",
    ),
    _is("contests", "住户异议", "Objections", "期内住户提出的异议", "objections that households raised in the month"),
    _is("upheld", "异议成立", "Upheld", "期内复核认定成立的异议", "objections that a second person upheld"),
    _is(
        "stands",
        "异议不成立",
        "Not upheld",
        "期内复核认定不成立的异议",
        "objections that a second person did not uphold",
    ),
    _is(
        "reveals",
        "查看个人信息",
        "Names revealed",
        "期内写明理由查看姓名、电话或证件的次数（均有审计记录）",
        "times that somebody's name was looked at, each with a reason and an audit entry",
    ),
    _is(
        "opened",
        "新增预警",
        "Opened",
        "期内产生的预警；同一对象同一规则未办结前只计一条",
        "alerts that began; one per subject and rule until it is settled",
    ),
    _is(
        "opened_before",
        "上月新增",
        "Opened the month before",
        "上一个自然月产生的预警",
        "alerts that began in the month before",
    ),
    _is(
        "answered",
        "已确认",
        "Answered",
        "期内新增且期末前有人确认或办结的预警",
        "of those opened, answered by a person before the end",
    ),
    _is(
        "answer_median_s",
        "确认用时（中位）",
        "Median time to answer",
        "期内新增预警从产生到首次有人确认的中位时间",
        "from the opening to the first acknowledgement",
        form="seconds",
    ),
    _is(
        "answer_late",
        "确认超时",
        "Answered late",
        "期内超过确认时限而当时无人确认的预警（异议复核与搁置期间不计）",
        "alerts whose limit for an answer passed unanswered in the month; objections and shelving stop the clock",
    ),
    _is(
        "settle_late",
        "处置超时",
        "Overdue",
        "期内超过处置时限而当时未办结的预警（异议复核与搁置期间不计）",
        "alerts whose limit for acting passed unsettled in the month; objections and shelving stop the clock",
    ),
    _is(
        "resolved",
        "办结",
        "Settled",
        "期内办结的预警，不论何时产生",
        "alerts that ended in the month, whenever they began",
    ),
    _is("true", "属实", "True", "期内由人办结为属实", "settled by a person as true"),
    _is(
        "false",
        "误报",
        "False",
        "期内由人办结为误报（含异议成立）",
        "settled by a person as false, upheld objections too",
    ),
    _is(
        "benign",
        "属实但无碍",
        "True but harmless",
        "期内由人办结为属实但无碍",
        "settled by a person as true but harmless",
    ),
    _is(
        "cleared",
        "自行恢复",
        "Cleared by itself",
        "情况自行消失而办结，不计入误报率",
        "ended by itself; not part of the false-alarm rate",
    ),
    _is(
        "false_share",
        "误报率",
        "False-alarm rate",
        "误报 ÷（属实＋误报＋属实但无碍），仅计由人作出结论的",
        "false, of what a person settled as true, false or harmless",
        form="share",
    ),
    _is("open_at_end", "期末未办结", "Open at the end", "期末仍未办结的预警", "alerts not settled at the end"),
)

ALERT_COLUMNS: Final = (
    "opened", "opened_before", "answered", "answer_median_s", "answer_late", "settle_late",
    "resolved", "true", "false", "benign", "cleared", "false_share", "open_at_end",
)  # fmt: skip
BY_KEY: Final = {found.key: found for found in DEFINITIONS}

EVENT_KINDS: Final = {
    "lock.access": Text("开锁", "Unlocking"),
    "lock.state": Text("锁状态", "Lock state"),
    "lock.alarm": Text("锁报警", "Lock alarm"),
    "door.state": Text("门开关", "Door"),
    "smoke.state": Text("烟感", "Smoke detector"),
    "fire.component": Text("消防部件", "Fire panel component"),
    "help.call": Text("求助", "Call for help"),
    "camera.state": Text("摄像头状态", "Camera state"),
    "device.health": Text("设备健康", "Device health"),
    "gateway.health": Text("网关健康", "Gateway health"),
    "local.action": Text("本地联动", "Local action"),
}
"""The kinds of the wire contract in words; one that this hub does not know is named as it came."""
