"""The durable queue: what the gateway saw, on disk until the hub has it.

`Outbox` is what the rest of the agent uses. Behind it: `store` (SQLite, one connection), `writer` (the thread that owns
it, group commit), `rows` (schema and checksums), `room` (what makes room when it is full), `salvage` (what can be read
from a damaged file). The promises are in docs/reference/outbox.md.
"""

from edge_agent.outbox.queue import Outbox
from edge_agent.outbox.rows import DeadLetter, LaneStatus, OutboxStatus, Row

__all__ = ["DeadLetter", "LaneStatus", "Outbox", "OutboxStatus", "Row"]
