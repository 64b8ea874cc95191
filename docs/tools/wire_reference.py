"""Writes docs/reference/wire.md from the types of `wire/`; `--check` fails when it is not current."""

import sys
from pathlib import Path
from typing import Any

import msgspec
from generated import keep
from msgspec import inspect

from wire.events import EVENT_TYPES, Credential, DriverHealth, Lane, lane_of
from wire.messages import MAX_BATCH_BYTES, MAX_EVENTS, Ack, Batch, Command, Reply, Status

PAGE = Path("docs/reference/wire.md")
_HEAD = f"""<!-- Written by docs/tools/wire_reference.py from wire/; do not edit. -->
# What passes between a gateway and the hub · 网关与中枢之间的约定

MQTT, QoS 1; JSON in UTF-8, or the same zlib-compressed. `anfang/v1/GATEWAY/event` carries batches from the gateway,
`…/ack` what the hub has committed, `…/status` (retained, and the broker's will) whether the gateway is there,
`…/command` and `…/reply` the way back. A batch has at most {MAX_EVENTS} events and {MAX_BATCH_BYTES // 1024} KiB; event
*i* has the number `first_seq + i` in its `epoch`. An event leaves the gateway only when the hub has acknowledged it.
Fields may be added and none changes its meaning: what is unknown is ignored, an unknown kind is stored and shown as
such. The machine-readable form is in [wire/schema](../../wire/schema); messages that every future hub must read are in
[tests/golden/v1](../../tests/golden/v1).

网关与中枢只通过这五个主题交谈。事件按批次上传，只有中枢确认入库后网关才删除；可以增加字段，不改变已有字段的含义。

```sh
mosquitto_sub -t 'anfang/v1/gw-jh-0001/ack' &
mosquitto_pub -q 1 -t 'anfang/v1/gw-jh-0001/event' -f tests/golden/v1/contract-example.batch.json
```

## Messages · 报文
"""
_KINDS = """
## Kinds of event · 事件种类

Every event has `kind`, `observed_at`, `device`, perhaps `unit`, and `data`. *Urgent* kinds travel in a lane of their
own, so that an alarm overtakes a backlog.
"""
_ABOUT = {
    "lock.access": ("somebody opened, or tried to", "开门或尝试开门"),
    "lock.state": ("the bolt", "锁舌状态"),
    "lock.alarm": ("what a lock warns of", "门锁报警"),
    "door.state": ("open or shut", "门的开关"),
    "smoke.state": ("a smoke detector; a test is a test, silenced is not clear", "烟感；测试不是报警，消音不等于解除"),
    "fire.component": ("a component of a fire panel, GB/T 26875.3", "消防主机的部件状态"),
    "help.call": ("somebody pressed a button for help", "按下求助按钮"),
    "people.crossing": ("people over a line, by the bucket of time", "过线人数（按时间段）"),
    "people.present": ("people in view, or that somebody is there", "在场人数"),
    "camera.state": ("whether a camera sees", "摄像头状态"),
    "device.health": (
        "how a device fares, with which profile it is read, what it runs",
        "设备健康、所用配置文件与固件",
    ),
    "gateway.health": ("how the gateway fares", "网关健康"),
    "local.action": ("what the gateway did on its own", "本地联动"),
}


def page() -> str:
    """The whole document."""
    messages = (Batch, Ack, Status, Command, Reply)
    parts = [_HEAD, *(f"\n### {message.__name__.lower()}\n\n{_table(message)}" for message in messages), _KINDS]
    for kind, cls in EVENT_TYPES.items():
        data = next(field.type for field in msgspec.structs.fields(cls) if field.name == "data")
        en, zh = _ABOUT[kind]
        parts.append(f"\n### `{kind}`{_urgency(kind)}\n\n{zh} · {en}\n\n{_table(data)}")
    shared = (Credential, DriverHealth)
    return "".join([*parts, *(f"\n### {part.__name__}\n\n{_table(part)}" for part in shared)])


def _urgency(kind: str) -> str:
    if kind == "device.health":
        return " · urgent with `tamper`"
    sample: Any = type("Sample", (), {"kind": kind})()
    return " · urgent" if lane_of(sample) == Lane.URGENT else ""


def _table(struct: type) -> str:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    rows = ["| Field | Type | |\n|---|---|---|\n"]
    rows += [
        f"| `{field.encode_name}` | {_said(field.type)} | {'needed' if field.required else ''} |\n"
        for field in info.fields
    ]
    return "".join(rows)


def _said(kind: inspect.Type) -> str:  # noqa: PLR0911  # one answer for each sort
    """A type in words."""
    match kind:
        case inspect.Metadata(type=inner):
            return _said(inner)
        case inspect.UnionType(types=types):
            return " or ".join(_said(inner) for inner in types if not isinstance(inner, inspect.NoneType))
        case inspect.LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case inspect.ListType(item_type=item):
            return f"list of {_said(item)}"
        case inspect.DictType(value_type=value):
            return f"name → {_said(value)}"
        case inspect.StructType(cls=cls):
            return cls.__name__
        case inspect.IntType() | inspect.FloatType():
            return "number" + _bounds(kind)
        case _:
            return _WORDS.get(type(kind), "anything")


_WORDS = {
    inspect.StrType: "text", inspect.BoolType: "true or false", inspect.DateTimeType: "instant (RFC 3339)",
    inspect.RawType: "event",
}  # fmt: skip


def _bounds(kind: Any) -> str:
    if kind.ge is not None and kind.le is not None and kind.le < 1 << 62:
        return f" {kind.ge:g}–{kind.le:g}"
    return f" ≥ {kind.ge:g}" if kind.ge is not None else ""


if __name__ == "__main__":
    sys.exit(keep(PAGE, page(), sys.argv[1:]))
