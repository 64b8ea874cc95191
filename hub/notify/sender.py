"""Sends what is queued, with retries, never inside a transaction. Each recipient has a lane of their own.

A channel that hangs holds up its own lane and nobody else's: the next message of life safety to another recipient goes
out in the meantime.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlmodel import Session, col, select

from hub.errors import NotifierError, RegistryError
from hub.notify.channels import Channel
from hub.registry.personal_data.vault import Vault
from hub.store.database import Database
from hub.store.tables.alerts import Notification, Recipient
from wire.clock import Clock

log = structlog.get_logger(__name__)

MOST_TRIES: Final = 20
_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=30)
_FIELD: Final = "channel"
_PATIENCE_S: Final = 1.0


class _Lane(threading.Thread):
    """What goes to one recipient, in its order. It ends at the first message that fails: the others wait their turn."""

    def __init__(self, sender: "Sender", recipient: str, numbers: Sequence[int]) -> None:
        # A daemon, because a server that trickles may hold it for hours; its message is sent again after the restart.
        super().__init__(name=f"notify-{recipient}", daemon=True)
        self._sender = sender
        self._recipient = recipient
        self._numbers = numbers
        self.sent = 0

    def run(self) -> None:
        try:
            for number in self._numbers:
                if not self._sender.try_one(number, self._recipient):
                    return
                self.sent += 1
        except Exception:  # the top of a supervised task: log, and the next turn makes a new lane
            log.exception("notify.lane_failed", recipient=self._recipient)


class Sender:
    """Call `send_due` every few seconds. `patience_s`: how long one call waits for slow channels."""

    def __init__(
        self, database: Database, vault: Vault, channel: Channel, clock: Clock, patience_s: float = _PATIENCE_S
    ) -> None:
        self._database = database
        self._vault = vault
        self._channel = channel
        self._clock = clock
        self._patience_s = patience_s
        self._lanes: dict[str, _Lane] = {}

    def send_due(self, limit: int = 50) -> int:
        """Try the messages whose time has come, life safety first; returns how many were sent while it waited.

        At least once: after a crash between sending and writing that down, a message goes out a second time.
        """
        self._lanes = {name: lane for name, lane in self._lanes.items() if lane.is_alive()}
        with self._database.read() as session:
            due = due_messages(session, self._clock.now(), limit, self._lanes)
        waiting: dict[str, list[int]] = defaultdict(list)
        for number, recipient in due:
            waiting[recipient].append(number)
        started = [_Lane(self, recipient, numbers) for recipient, numbers in waiting.items()]
        for recipient, lane in zip(waiting, started, strict=True):
            self._lanes[recipient] = lane
            lane.start()
        until = self._clock.monotonic() + self._patience_s
        for lane in started:
            lane.join(max(0.0, until - self._clock.monotonic()))
        return sum(lane.sent for lane in started)

    def try_one(self, number: int, recipient: str) -> bool:
        """Send one message and note what came of it."""
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


def due_messages(session: Session, now: datetime, limit: int, busy: Collection[str] = ()) -> list[tuple[int, str]]:
    """Numbers and recipients of the messages whose time has come; class L before the others. None of the `busy`."""
    query = (
        select(Notification.id, Notification.recipient)
        .where(Notification.state == "waiting", col(Notification.next_try_at) <= now)
        .where(col(Notification.recipient).not_in(sorted(busy)))
        .order_by(col(Notification.alert_class) != "L", col(Notification.next_try_at), col(Notification.id))
        .limit(limit)
    )
    return [(number, recipient) for number, recipient in session.exec(query) if number is not None]


def wait_after(tries: int) -> timedelta:
    """5 s, 10 s, 20 s, … at most half an hour."""
    return min(_FIRST_WAIT * (1 << min(tries - 1, 16)), _LONGEST_WAIT)
