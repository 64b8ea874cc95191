"""Writes docs/reference/retention.md from the schedule; `--check` fails when it is not current."""

import sys
from pathlib import Path

from generated import keep

from hub.retention.schedule import RULES

PAGE = Path("docs/reference/retention.md")
_HEAD = """<!-- Written by docs/tools/retention_reference.py from hub/retention; do not edit. -->
# How long things are kept · 数据保留期限

The hub sweeps once a day. What is over its time is deleted or made coarser; each sweep says what it took, on the page
and in the audit trail. An administrator may set a period within its bounds, with a reason. A longer one than the
default is less private: it is marked so, and audited as a weakening. A legal hold keeps everything of one unit until it
ends. Evidence of an alert that is still open stays with it. The numbers of deleted events stay accounted, so that
continuity is not broken and nothing is stored again. Counts that were merged are events with a `window_s` still, so a
replay that reaches so far back sees coarser times.

中枢每天清理一次：到期的数据被删除或变粗，每次清理的结果显示在页面并写入审计。管理员可在上下限内调整并须说明理由；长于缺省值即降低隐私保护，
会被标明并审计。司法保全（legal hold）使某户的全部数据保留到解除为止。未办结预警所依据的事件一并保留。
已删除事件的序号仍计入连续性，不会被当作缺口，也不会重复入库。
合并后的计数仍是带 `window_s` 的事件，因此回放更早的时段时时间较粗。

| Data · 数据 | Days · 天 | Bounds · 上下限 | Then · 到期后 |
|---|---|---|---|
"""
_TAIL = """
## Erasing one person · 个人删除请求

`POST /api/v1/people/{code}/erase` (an administrator, `X-Purpose: subject_request`, a reason) blanks name, phone,
document, their blind indexes and birth date in every version of the registry, registration numbers and the masks of
credentials, and replaces the same words where people typed them (comments, reasons, bookings, explanations). It is
refused while a stay or lease goes on, because that rests on the contract. SQLite overwrites what was deleted. Backups
made before keep what they hold: let them run out. Audit lines are sealed and stay; do not write names into reasons.

管理员凭理由可删除个人的姓名、电话、证件、盲索引与出生日期（台账所有版本）、登记编号与凭证尾号，并替换备注、理由、预约和说明中出现的同样文字。
仍在住或租约未结束时拒绝。SQLite 会覆写被删除的内容；此前的备份仍含原内容，应让其到期。
审计记录不可更改，请勿在理由中写姓名。
"""


def page() -> str:
    """The whole document."""
    rows = [
        f"| {rule.title.zh} · {rule.title.en} | {rule.days} | {rule.least}–{rule.most} "
        f"| {rule.after.zh} · {rule.after.en} |\n"
        for rule in RULES
    ]
    return _HEAD + "".join(rows) + _TAIL


if __name__ == "__main__":
    sys.exit(keep(PAGE, page(), sys.argv[1:]))
