"""A disk that can lose power: records what SQLite writes and builds the disk as a cut may have left it.

What was synced is there. Of what was not, any part may be: nothing, all, some writes, some 512-byte sectors of some.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import apsw

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that was done to a file, or a `mark` of what the program had been promised by then."""

    kind: Literal["write", "truncate", "sync", "delete", "mark"]
    file: str = ""
    offset: int = 0
    data: bytes = b""
    mark: object = None


class Recorder(apsw.VFS):
    """A VFS of the given name that writes through and keeps `ops`."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.ops: list[Op] = []

    def mark(self, what: object) -> None:
        self.ops.append(Op("mark", mark=what))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.ops.append(Op("delete", Path(filename).name))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._ops = recorder.ops
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._file = Path(path).name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._ops.append(Op("write", self._file, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._ops.append(Op("truncate", self._file, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._ops.append(Op("sync", self._file))
        super().xSync(flags)


def disk_after_cut(ops: list[Op], cut: int, chance: random.Random, folder: Path) -> None:
    """Write into the empty `folder` what may be on the disk when the power goes right after `ops[cut]`."""
    durable: dict[str, bytearray] = defaultdict(bytearray)
    pending: dict[str, list[Op]] = defaultdict(list)
    for op in ops[: cut + 1]:
        if op.file.endswith("-shm"):
            continue
        if op.kind in ("write", "truncate"):
            pending[op.file].append(op)
        elif op.kind == "sync":
            for done in pending.pop(op.file, []):
                _apply(durable[op.file], done)
        elif op.kind == "delete":
            pending.pop(op.file, None)
            durable.pop(op.file, None)
    fate = chance.choice(("none", "all", "some", "torn", "torn"))
    for file, left in pending.items():
        for op in left:
            _survive(durable[file], op, fate, chance)
    for file, content in durable.items():
        (folder / file).write_bytes(content)


def _survive(content: bytearray, op: Op, fate: str, chance: random.Random) -> None:
    if fate == "none" or (fate != "all" and chance.random() < 0.5):
        return
    if fate == "torn" and op.kind == "write" and len(op.data) > SECTOR:
        for start in range(0, len(op.data), SECTOR):
            if chance.random() < 0.5:
                part = op.data[start : start + SECTOR]
                _apply(content, Op("write", op.file, op.offset + start, part))
    else:
        _apply(content, op)


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.offset :]
        return
    end = op.offset + len(op.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[op.offset : end] = op.data
