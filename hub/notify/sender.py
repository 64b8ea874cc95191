"""Sends what is queued, with retries, one message at a time and never inside a transaction."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlmodel import Session, col, select

from hub.errors import NotifierError, RegistryError
from hub.notify.channels import Channel
from hub.registry.vault import Vault
from hub.store.database import Database
from hub.store.tables.alerts import Notification, Recipient
from wire.clock import Clock

log = structlog.get_logger(__name__)

MOST_TRIES: Final = 20
_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=30)
_FIELD: Final = "channel"


class Sender:
    """Call `send_due` every few seconds from a thread that may wait for the network."""

    def __init__(self, database: Database, vault: Vault, channel: Channel, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._channel = channel
        self._clock = clock

    def send_due(self, limit: int = 50) -> int:
        """Try the messages whose time has come, life safety first; returns how many were sent.

        At least once: after a crash between sending and writing that down, a message goes out a second time.
        """
        with self._database.read() as session:
            due = due_messages(session, self._clock.now(), limit)
        return sum(self._try(number, recipient) for number, recipient in due)

    def _try(self, number: int, recipient: str) -> bool:
        with self._database.read() as session:
            row, whom = session.get(Notification, number), session.get(Recipient, recipient)
        if row is None or row.state != "waiting":
            return False
        try:
            if whom is None or not whom.is_enabled:
                raise NotifierError("the recipient is gone or switched off")
            self._channel.send(self._vault.open(_FIELD, whom.channel_sealed), row.title, row.body)
        except (NotifierError, RegistryError) as error:
            self._note(number, str(error))
            return False
        self._note(number, None)
        return True

    def _note(self, number: int, error: str | None) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            row = session.get(Notification, number)
            if row is None:
                return
            row.tries += 1
            if error is None:
                row.state, row.sent_at, row.last_error = "sent", now, ""
            else:
                row.last_error = error[:256]
                row.state = "failed" if row.tries >= MOST_TRIES else "waiting"
                row.next_try_at = now + wait_after(row.tries)
                log.warning("notify.failed", notification=number, tries=row.tries, state=row.state, error=error)
            session.add(row)


def due_messages(session: Session, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Numbers and recipients of the messages whose time has come; class L before the others."""
    query = (
        select(Notification.id, Notification.recipient)
        .where(Notification.state == "waiting", col(Notification.next_try_at) <= now)
        .order_by(col(Notification.alert_class) != "L", col(Notification.next_try_at), col(Notification.id))
        .limit(limit)
    )
    return [(number, recipient) for number, recipient in session.exec(query) if number is not None]


def wait_after(tries: int) -> timedelta:
    """5 s, 10 s, 20 s, … at most half an hour."""
    return min(_FIRST_WAIT * (1 << min(tries - 1, 16)), _LONGEST_WAIT)
