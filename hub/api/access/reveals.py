"""How often one person may look at names: enough for a day's work, too little for copying the register (P4)."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, func, select

from hub.api.problems import Problem
from hub.store.tables.access import AuditEntry

WINDOW: Final = timedelta(hours=1)
MOST_IN_WINDOW: Final = 30


def check_reveal_rate(session: Session, actor: str, now: datetime) -> None:
    """Raises Problem (429) when `actor` has revealed too much in the last hour."""
    query = select(func.count()).where(
        AuditEntry.actor == actor, AuditEntry.action == "pii.reveal", col(AuditEntry.at) > now - WINDOW
    )
    if session.exec(query).one() >= MOST_IN_WINDOW:
        raise Problem(
            "too-many-tries",
            f"每小时最多查看 {MOST_IN_WINDOW} 次 / at most {MOST_IN_WINDOW} reveals an hour",
            headers={"Retry-After": "600"},
        )
