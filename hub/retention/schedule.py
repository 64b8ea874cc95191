"""Which kinds of data there are, how long each is kept unless the organisation says otherwise, and why (P6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.text import Text


class Period(StrEnum):
    """A kind of data that is kept for a time of its own."""

    COUNTS_FINE = "counts_fine"
    COUNTS_QUARTER = "counts_quarter"
    COUNTS_DAILY = "counts_daily"
    DOORS_NAMED = "doors_named"
    DOORS = "doors"
    LIFE_EVENTS = "life_events"
    TELEMETRY = "telemetry"
    ALERTS_FALSE = "alerts_false"
    ALERTS_CLOSED = "alerts_closed"
    ALERTS_LIFE = "alerts_life"
    MOVED_OUT = "moved_out"
    LEASE_CORE = "lease_core"
    REJECTED = "rejected"
    MESSAGES = "messages"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Rule:
    """One period: its default and its bounds in days, what it is for, and what happens when it is over."""

    period: Period
    days: int
    least: int
    most: int
    title: Text
    after: Text


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        Period.COUNTS_FINE, 7, 1, 90,
        Text("按分钟的人数计数", "Head counts by the minute"),
        Text("合并为 15 分钟一条", "merged to quarters of an hour"),
    ),
    Rule(
        Period.COUNTS_QUARTER, 30, 1, 365,
        Text("15 分钟人数计数", "Head counts by the quarter hour"),
        Text("合并为每日一条", "merged to days"),
    ),
    Rule(
        Period.COUNTS_DAILY, 365, 1, 1095,
        Text("每日人数计数与夜间估计", "Daily head counts and estimates of nights"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.DOORS_NAMED, 90, 1, 365,
        Text("可对应到凭证的开门记录", "Door events that name a credential"),
        Text("去除凭证标识", "the credential is taken out"),
    ),
    Rule(
        Period.DOORS, 365, 1, 1095,
        Text("不含凭证的门与锁记录", "Door and lock events without credentials"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.LIFE_EVENTS, 1095, 365, 3650,
        Text("烟感、消防、求助与就地联动记录", "Smoke, fire, help and local-action events"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.TELEMETRY, 90, 1, 1095,
        Text("设备与网关运行状态", "Health of devices and gateways"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.ALERTS_FALSE, 90, 1, 365,
        Text("已判为误报的预警", "Alerts that were false"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.ALERTS_CLOSED, 365, 1, 1095,
        Text("其他已办结预警", "Other alerts that are settled"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.ALERTS_LIFE, 1095, 365, 3650,
        Text("已办结的生命安全预警", "Life-safety alerts that are settled"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.MOVED_OUT, 30, 0, 365,
        Text("退租人员的姓名、电话、证件", "Name, phone and document of people who moved out"),
        Text("匿名化，仅保留租约主干", "made anonymous; the core of the lease stays"),
    ),
    Rule(
        Period.LEASE_CORE, 1095, 1095, 3650,
        Text("已结束租约的主干（无姓名）", "Core of leases that ended, without names"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.REJECTED, 90, 1, 365,
        Text("无法解析而保留的数据包", "Batches that could not be decoded"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.MESSAGES, 90, 1, 365,
        Text("已发送的通知与网关指令", "Messages and commands that were sent"),
        Text("删除", "deleted"),
    ),
    Rule(
        Period.AUDIT, 1095, 180, 3650,
        Text("审计记录（法定不少于 180 天）", "Audit trail (at least 180 days by law)"),
        Text("删除最早部分，哈希链接续", "the oldest part is deleted, the chain goes on"),
    ),
)  # fmt: skip
"""Defaults of requirement P6. A longer time than the default is less private, and is set with a reason."""

BY_PERIOD: Final[Mapping[Period, Rule]] = {rule.period: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The days that hold now, one for each period."""

    days: Mapping[Period, int]

    def cutoff(self, period: Period, now: datetime) -> datetime:
        """What is older than this instant is over its time."""
        return now - timedelta(days=self.days[period])


def fault_in(period: Period, days: int) -> Text | None:
    """Why a period cannot be so long or so short; None when it can."""
    rule = BY_PERIOD[period]
    if rule.least <= days <= rule.most:
        return None
    return Text(
        f"{rule.title.zh}：应为 {rule.least} 到 {rule.most} 天",
        f"{rule.title.en}: between {rule.least} and {rule.most} days",
    )
