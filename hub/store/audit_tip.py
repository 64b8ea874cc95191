"""The newest line of the audit trail that was seen, in a file beside the database.

Each line seals the one before it, so a line that was changed or taken from the middle shows. The newest lines have none
behind them: whoever shortens the trail at its end leaves a chain that is whole. They do not reach this file from the
database alone.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from sqlmodel import Session, col, func, select

from hub.store.tables.access import AuditEntry

_SETTLED: Final = timedelta(minutes=1)
"""Younger lines may belong to a transaction that never ends well."""


class _Tip(msgspec.Struct):
    id: int
    hash: str


class AuditTip:
    """The file `audit.tip` of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "audit.tip"

    def lost(self, session: Session) -> int | None:
        """Number of the line that was seen and is not there any more, or is another one; None when all is well."""
        try:
            tip = msgspec.json.decode(self._path.read_bytes(), type=_Tip)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            # Somebody wrote into it: what it knew is gone, and that is to be told.
            return 0
        found = session.exec(select(AuditEntry.hash).where(AuditEntry.id == tip.id)).first()
        if found == tip.hash:
            return None
        oldest = session.exec(select(func.min(AuditEntry.id))).one()
        # The oldest part goes when its time is over.
        return None if found is None and oldest is not None and oldest > tip.id else tip.id

    def remember(self, session: Session, now: datetime) -> None:
        """Keep the newest settled line. Only after `lost` and the chain found nothing."""
        query = select(AuditEntry.id, AuditEntry.hash).where(col(AuditEntry.at) <= now - _SETTLED)
        last = session.exec(query.order_by(col(AuditEntry.id).desc()).limit(1)).first()
        if last is None or last[0] is None:
            return
        draft = self._path.with_name(".audit.tip")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(_Tip(last[0], last[1])))
        draft.replace(self._path)
