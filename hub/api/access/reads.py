"""Every look at a household leaves a line in the audit trail, which the household can read (P7)."""

from datetime import timedelta
from typing import Final

from fastapi import Request
from sqlmodel import col, select

from hub.api.access.caller import Caller
from hub.api.access.guard import purpose_of, services_of
from hub.store.audit import Audited, append_audit
from hub.store.tables.access import AuditEntry

ONE_LOOK: Final = timedelta(minutes=10)
"""Looks of one person at one unit within this time are one line: a page asks again with every change."""


def remember_look(request: Request, caller: Caller, action: str, unit: str | None, subject: str = "") -> None:
    """Add the line for reading something about `unit`, unless the same look was remembered just now."""
    if unit is None:
        return
    services = services_of(request)
    now = services.clock.now()
    purpose = purpose_of(request)
    with services.database.read() as session:
        query = select(AuditEntry.id).where(
            AuditEntry.unit_code == unit,
            AuditEntry.actor == caller.name,
            AuditEntry.action == action,
            AuditEntry.purpose == purpose,
            col(AuditEntry.at) > now - ONE_LOOK,
        )
        if session.exec(query.limit(1)).first() is not None:
            return
    with services.database.write() as session:
        append_audit(session, Audited(caller.name, caller.role, action, subject, unit, purpose), now)
