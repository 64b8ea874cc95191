"""A replay in a process of its own: `python -m hub.replay.worker`, a request on standard input, JSON lines out.

Lines are `{"done": n, "of": n}` while it plays, and last `{"outcome": {…}}` or `{"error": "…"}`.
"""

import os
import sys
from datetime import datetime

import msgspec

from hub.errors import HubError
from hub.policies.packs import packs_of
from hub.replay.compare import as_json
from hub.replay.run import Draft, replay
from hub.rules.policy import parse_pack
from hub.store.database import Database

_NICE = 10
"""Alarms come first: what somebody tries out takes what is left of the machine."""
_EVERY = 2_000


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What to play, under which numbers. `database` is a URL; `packs` are the texts of drafts."""

    database: str
    since: datetime | None = None
    until: datetime | None = None
    drafts: list[Draft] = []
    packs: list[str] = []


def _say(line: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Play once."""
    os.nice(_NICE)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    told = 0

    def on_progress(done: int, of: int) -> None:
        nonlocal told
        if done - told >= _EVERY or done >= of:
            told = done
            _say({"done": done, "of": of})

    database = Database(request.database)
    try:
        packs = packs_of([parse_pack(text, f"draft {n}") for n, text in enumerate(request.packs, 1)])
        found = replay(
            database, packs, since=request.since, until=request.until, drafts=request.drafts, on_progress=on_progress
        )
    except HubError as error:
        _say({"error": str(error)})
        return
    finally:
        database.close()
    outcome = {
        "since": found.since,
        "until": found.until,
        "events": found.played.events,
        "failed": found.played.failed + found.played.failed_ticks,
        "rules": as_json(found.outcomes, same_too=True),
    }
    _say({"outcome": outcome})


if __name__ == "__main__":
    main()
