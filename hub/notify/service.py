"""Who is told: recipients with their channel and wishes, the duty roster, a test message."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from hub.errors import NotFoundError, RegistryError
from hub.notify.channels import check_address
from hub.registry.personal_data.vault import Vault
from hub.store.tables.alerts import DutyShift, Notification, Recipient

_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants to hear of, and when not (C, W and T alone; life safety and security come at any hour)."""

    language: str = "zh"
    classes: str = "LSCWT"
    least_severity: str = "P4"
    quiet_from: str = ""
    quiet_to: str = ""
    is_enabled: bool = True


def save_recipient(session: Session, vault: Vault, name: str, address: str | None, wishes: Wishes) -> Recipient:
    """Add somebody, or change their wishes; None keeps the address. Raises ConfigError, RegistryError."""
    _check(name, wishes)
    row = session.get(Recipient, name)
    if address is not None:
        check_address(address)
        sealed = vault.seal("channel", address)
    elif row is not None:
        sealed = row.channel_sealed
    else:
        raise RegistryError("channel: 请填写渠道地址 / a channel is needed")
    row = row or Recipient(name=name, channel_sealed=sealed)
    row.channel_sealed = sealed
    row.language, row.classes, row.least_severity = wishes.language, wishes.classes, wishes.least_severity
    row.quiet_from, row.quiet_to, row.is_enabled = wishes.quiet_from, wishes.quiet_to, wishes.is_enabled
    session.add(row)
    return row


def _check(name: str, wishes: Wishes) -> None:
    if not 1 <= len(name) <= 64:
        raise RegistryError("name: 名称须为 1 至 64 个字 / recipient: a name of 1 to 64 characters is needed")
    if wishes.language not in {"zh", "en"}:
        raise RegistryError(f"language: 语言为 zh 或 en / recipient {name}: language is zh or en")
    if not wishes.classes or set(wishes.classes) - set("LSCWT"):
        raise RegistryError(f"请至少选择一个类别 / recipient {name}: classes are letters of LSCWT")
    if wishes.least_severity not in {"P0", "P1", "P2", "P3", "P4"}:
        raise RegistryError(f"least_severity: 最低级别为 P0 至 P4 / recipient {name}: the least severity is P0 to P4")
    for text in (wishes.quiet_from, wishes.quiet_to):
        if text and not _CLOCK.fullmatch(text):
            raise RegistryError(f"免打扰时间格式为 HH:MM / recipient {name}: quiet hours are HH:MM, not {text!r}")


def list_recipients(session: Session) -> list[Recipient]:
    """Everybody, by name. The channel stays sealed."""
    return list(session.exec(select(Recipient).order_by(Recipient.name)))


def queue_test(session: Session, name: str, now: datetime) -> Notification:
    """A test message to somebody. Raises NotFoundError."""
    row = session.get(Recipient, name)
    if row is None:
        raise NotFoundError(f"没有接收人 {name} / recipient {name}: there is none")
    title, body = _test_message(row)
    found = Notification(
        dedupe=f"test:{name}:{now.isoformat()}", recipient=name, title=title, body=body, created_at=now, next_try_at=now
    )
    session.add(found)
    session.flush()
    return found


def test_message(session: Session, vault: Vault, name: str) -> tuple[str, str, str]:
    """Address, title and body of a test message, for `Channel.send`. Raises NotFoundError."""
    row = session.get(Recipient, name)
    if row is None:
        raise NotFoundError(f"没有接收人 {name} / recipient {name}: there is none")
    return vault.open("channel", row.channel_sealed), *_test_message(row)


def remove_recipient(session: Session, name: str) -> None:
    """Take somebody off, with their duties; what waits for them is given up. Raises NotFoundError."""
    row = session.get(Recipient, name)
    if row is None:
        raise NotFoundError(f"没有接收人 {name} / recipient {name}: there is none")
    waiting = (col(Notification.recipient) == name) & (col(Notification.state) == "waiting")
    session.connection().execute(
        update(Notification).where(waiting).values(state="failed", last_error="the recipient was taken off")
    )
    session.connection().execute(delete(DutyShift).where(col(DutyShift.recipient) == name))
    session.delete(row)


def _test_message(row: Recipient) -> tuple[str, str]:
    if row.language == "en":
        return "Anfang: test message", "If you can read this, alerts will reach you."
    return "安房：测试消息", "能看到这条消息，说明预警可以送达。"


def add_shift(
    session: Session, recipient: str, from_at: datetime, to_at: datetime, *, scope: str = "", level: int = 0
) -> DutyShift:
    """Put somebody on duty. Raises NotFoundError, RegistryError."""
    if session.get(Recipient, recipient) is None:
        raise NotFoundError(f"recipient: 没有接收人 {recipient} / recipient {recipient}: there is none")
    if to_at <= from_at:
        raise RegistryError("end: 结束早于开始 / ends before it begins; mend the times")
    if not 0 <= level <= 9:
        raise RegistryError("level: 级别为 0（最先）至 9 / duty: the level is 0 (hears first) to 9")
    shift = DutyShift(scope_code=scope, level=level, recipient=recipient, from_at=from_at, to_at=to_at)
    session.add(shift)
    session.flush()
    return shift


def list_shifts(session: Session, after: datetime) -> list[DutyShift]:
    """Shifts that end after an instant, in their order."""
    return list(session.exec(select(DutyShift).where(col(DutyShift.to_at) > after).order_by(col(DutyShift.from_at))))
