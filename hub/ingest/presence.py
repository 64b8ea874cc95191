"""What a gateway's retained status topic says: whether its link is there, since when, and which agent runs."""

from datetime import datetime

from sqlmodel import Session

from hub.domain.stored_event import Change
from hub.ingest.reading import EARLIEST, LATEST
from hub.ingest.streams import add_gateways
from hub.store.tables.ingest import Gateway
from wire.messages import Status


def take_status(session: Session, gateway_id: str, status: Status, now: datetime) -> list[Change]:
    """Bring the gateway's row up to date; the caller has checked that the gateway may be taken in."""
    row = session.get(Gateway, gateway_id, with_for_update=True)
    changes: list[Change] = []
    if row is None:
        add_gateways(session.connection(), [gateway_id], now)
        row = session.get_one(Gateway, gateway_id)
        changes.append(Change("gateway", gateway_id, "unadopted"))
    # A will says no time, because it was written before; the gateway's own clock may be far off.
    since = min(max(status.since or now, EARLIEST), LATEST)
    if row.link == status.state and (status.since is None or row.link_since == since):
        return changes
    if row.link != status.state:
        changes.append(Change("gateway", gateway_id, status.state))
    row.link, row.link_since = status.state, since
    row.agent_version = status.agent_version[:64] if status.agent_version else row.agent_version
    if status.state == "online":
        row.last_seen_at = now
    session.add(row)
    return changes
