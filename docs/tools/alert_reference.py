"""Writes docs/reference/alerts.md from the rules and their packs; `--check` fails when it is not current."""

import sys
from pathlib import Path

from generated import keep

from hub.domain.text import Text
from hub.policies.packs import KINDS, standard_packs
from hub.rules.catalogue import RULES
from hub.rules.lifecycle_policy import ALERTS
from hub.rules.model import Rule
from hub.rules.policy import Pack, Provenance

PAGE = Path("docs/reference/alerts.md")
_CLASSES = {
    "L": ("生命安全", "Life safety"),
    "S": ("安防", "Security"),
    "C": ("台账核对", "Compliance: always a person's decision"),
    "W": ("关怀（自愿）", "Welfare (opt-in)"),
    "T": ("设备与数据", "Technical"),
}
_HEAD = """<!-- Written by docs/tools/alert_reference.py from hub/rules; do not edit. -->
# Alerts · 预警目录

Every rule of this release: when it raises an alert, what it rests on, what else may be the cause, what to do and what
not to do. Numbers are not in the code but in rule packs, which are at the end with their sources; an organisation can
override one for a scope. "Unknown" means that the limit exists and nobody here has found it: the rule then answers
*cannot evaluate*, never *in order*. Nothing here is legal advice.

本版本的全部规则：何时预警、依据、常见的正常原因、建议与禁止的做法。数值不在程序里，而在文末列出来源的规则包中，可按范围调整。
“unknown”表示限值存在但尚未查到，规则此时回答“无法判断”，不会回答“正常”。本页不构成法律意见。
"""


def page() -> str:
    """The whole document."""
    parts = [_HEAD]
    for letter, (zh, en) in _CLASSES.items():
        parts += [f"\n## {letter} · {zh} · {en}\n", *_table(letter)]
        parts += [_rule(rule) for rule in RULES.values() if rule.alert_class == letter]
    parts.append("\n## Rule packs · 规则包\n")
    parts += [_pack(pack) for pack in standard_packs().packs]
    return "\n".join(parts).rstrip() + "\n"


def _table(letter: str) -> list[str]:
    rows = ["| Rule | Alert | Severity | Trigger | Basis |", "|---|---|---|---|---|"]
    rows += [
        f"| {rule.id} | {_both(rule.title)} | {rule.severity} | {_both(rule.trigger)} | {_both(rule.basis)} |"
        for rule in RULES.values()
        if rule.alert_class == letter
    ]
    return [*rows, ""]


def _rule(rule: Rule) -> str:
    lines = [f"### {rule.id} {rule.title.zh} · {rule.title.en}", ""]
    for name, texts in (
        ("Benign explanations · 常见正常原因", rule.benign),
        ("Recommended · 建议", rule.recommended),
        ("Forbidden · 禁止", rule.forbidden),
    ):
        if texts:
            lines += [f"{name}:", "", *(f"- {_both(text)}" for text in texts), ""]
    names = [name for name in KINDS[rule.id].__struct_fields__ if name != "enabled"]
    lines += [f"Parameters: {', '.join(f'`{name}`' for name in names)}. Version {rule.version}.", ""]
    return "\n".join(lines)


def _pack(pack: Pack) -> str:
    where = ", ".join(pack.jurisdictions).replace("*", "everywhere")
    lines = [
        f"### `{pack.id}` {pack.version} · {_both(pack.title)}",
        "",
        f"Jurisdictions: {where}. Land: {', '.join(sorted(pack.land_types))}.",
        "",
        "| Parameter | Value | Source | Checked |",
        "|---|---|---|---|",
    ]
    for rule_id, parameters in pack.parameters.items():
        name = "lifecycle" if rule_id == ALERTS else rule_id
        lines += [
            f"| {name}.{item.name} | {item.value} | {_source(item)} | {_checked(item)} |"
            for item in parameters.values()
        ]
    return "\n".join([*lines, ""])


def _source(item: Provenance) -> str:
    return f"{item.source} {item.clause}".strip()


def _checked(item: Provenance) -> str:
    return f"yes, {item.verified_at}" if item.verified and item.verified_at else "yes" if item.verified else "no"


def _both(text: Text) -> str:
    return f"{text.zh} · {text.en}"


if __name__ == "__main__":
    sys.exit(keep(PAGE, page(), sys.argv[1:]))
