"""Small things kept beside the queue, because its file is the one place where a write is known to be on the disk."""

from typing import Final

from edge_agent.outbox.store import Store

_DAY_MS: Final = 86_400_000


def begin_command(store: Store, command_id: str, expires_ms: int, now_ms: int) -> tuple[bool, bytes | None]:
    """Note that a command is about to be carried out. (True, None) the first time; then (False, its reply if any).

    Those that expired more than a day ago are forgotten: they are refused by their time.
    """
    found = store.look_up("SELECT reply FROM command WHERE id = ?", (command_id,))
    if found is not None:
        return False, found[0]
    store.change(
        ("DELETE FROM command WHERE expires_ms < ?", (now_ms - _DAY_MS,)),
        ("INSERT INTO command VALUES(?,?,NULL)", (command_id, expires_ms)),
    )
    return True, None


def finish_command(store: Store, command_id: str, reply: bytes) -> None:
    """Keep a command's reply, to be given again when the command comes again."""
    store.change(("UPDATE command SET reply = ? WHERE id = ?", (reply, command_id)))


def keep(store: Store, name: str, value: bytes) -> None:
    """Remember a small value under a name."""
    store.change(("INSERT OR REPLACE INTO kept VALUES(?,?)", (name, value)))


def kept(store: Store, name: str) -> bytes | None:
    """The value that `keep` remembered."""
    found = store.look_up("SELECT value FROM kept WHERE name = ?", (name,))
    return bytes(found[0]) if found else None
