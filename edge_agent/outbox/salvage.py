"""Puts a damaged outbox file aside and begins a new one with everything that can still be read."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from edge_agent.outbox.raw import find_rows
from edge_agent.outbox.rows import LANES
from edge_agent.outbox.store import Addition, Store, StoreOptions

_KEEP_ASIDE: Final = 3


class Salvaged(NamedTuple):
    """How a salvage went."""

    events: int
    moved_to: Path


def salvage(path: Path, options: StoreOptions, why: str) -> tuple[Store, Salvaged]:
    """Put the damaged file aside and open a new one, of new epochs, with every event that could be read.

    Raises OSError, apsw.Error. `why` is written beside the file that was put aside.
    """
    moved_to = _move_aside(path, options.now_ms(), why)
    log = moved_to.with_name(moved_to.name + "-wal")
    found = find_rows(moved_to.read_bytes(), log.read_bytes() if log.exists() else b"")
    store = Store(path, options)
    additions: list[Addition] = []
    for lane in LANES:
        rows = [found.rows[lane][seq] for seq in sorted(found.rows[lane])]
        additions += [Addition(lane, row.stored_ms, row.body) for row in rows]
        state = found.lanes.get(lane)
        if state is not None:
            lost = max(0, state.last_seq - state.floor_seq - len(rows))
            store.take_over(lane, dropped=state.dropped, refused=state.refused, damaged=state.damaged + lost)
    store.commit(additions)
    return store, Salvaged(len(additions), moved_to)


def _move_aside(path: Path, now_ms: int, why: str) -> Path:
    stamp = datetime.fromtimestamp(max(now_ms, 0) / 1000, UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    moved_to = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    for tail in ("-wal", ""):
        source = path.with_name(path.name + tail)
        if source.exists():
            source.replace(moved_to.with_name(moved_to.name + tail))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    moved_to.with_suffix(".txt").write_text(why + "\n", encoding="utf-8")
    older = sorted(path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"))[:-_KEEP_ASIDE]
    for file in older:
        for name in (file, file.with_name(file.name + "-wal"), file.with_suffix(".txt")):
            name.unlink(missing_ok=True)
    return moved_to
