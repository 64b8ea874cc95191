"""Reads rows out of a SQLite file and its log page by page, without SQLite, however damaged they are.

Every row of ours carries a checksum over its lane, number, time and body, so a row found anywhere is either exactly
what was written or not taken. Pure: bytes in, rows out.

Formats: https://sqlite.org/fileformat2.html, sections 1.6 (b-tree pages), 2.1 (records) and 4 (the write-ahead log).
"""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from edge_agent.outbox.rows import LANES, PAGE_SIZE, LaneState, Row, row_crc

_LEAF: Final = 0x0D
_MAX_LOCAL: Final = PAGE_SIZE - 35
_MIN_LOCAL: Final = (PAGE_SIZE - 12) * 32 // 255 - 23
_MAX_PAYLOAD: Final = 1 << 20
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_INT_SIZES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Value = int | bytes | None


class _CutError(Exception):
    """A structure points outside of what there is."""


@dataclass(slots=True)
class Found:
    """What a damaged outbox still holds: rows by lane and number, and each lane's furthest known numbers."""

    rows: dict[int, dict[int, Row]] = field(default_factory=lambda: {lane: {} for lane in LANES})
    lanes: dict[int, LaneState] = field(default_factory=dict)


class Frame(NamedTuple):
    """A page image in a write-ahead log. `is_commit` ends a transaction."""

    page: int
    image: bytes
    is_commit: bool


def wal_frames(log: bytes) -> list[Frame | None]:
    """The frames of a log in their order; None for one of another generation (its salt is another one).

    The generation is that of the header or, should more frames agree with it, that of the first frame: one of the two
    may be the damaged one.
    """
    step = _FRAME_HEADER + PAGE_SIZE
    starts = range(_WAL_HEADER, len(log) - step + 1, step)
    salts = [log[at + 8 : at + 16] for at in starts]
    if not salts:
        return []
    salt = max(log[16:24], salts[0], key=salts.count)
    frames: list[Frame | None] = []
    for at, own in zip(starts, salts, strict=True):
        page, size = struct.unpack_from(">II", log, at)
        image = log[at + _FRAME_HEADER : at + step]
        frames.append(Frame(page, image, size != 0) if own == salt else None)
    return frames


def is_log_damaged(log: bytes, valid_frames: int) -> bool:
    """Whether commits that were on disk lie behind the first `valid_frames`, beyond which SQLite does not read.

    SQLite takes the first frame with a wrong checksum for the end of the log. After a power cut that is right: at most
    one commit, which nobody was told of, lies behind it. Two or more mean that what was synced has been damaged since.
    """
    if len(log) < _WAL_HEADER + _FRAME_HEADER:
        return False
    header, first = log[16:24], log[_WAL_HEADER + 8 : _WAL_HEADER + 16]
    generations = int.from_bytes(first[:4], "big") - int.from_bytes(header[:4], "big")
    if header[4:] != first[4:] and generations in (-1, 1):
        # Cut off while the log was begun again (section 4.3): the old generation is in the file already.
        return False
    return sum(frame is not None and frame.is_commit for frame in wal_frames(log)[valid_frames:]) > 1


def find_rows(file: bytes, log: bytes) -> Found:
    """Everything with a right checksum in a database file and its log."""
    images = [(number + 1, file[at : at + PAGE_SIZE]) for number, at in enumerate(range(0, len(file), PAGE_SIZE))]
    images += [(frame.page, frame.image) for frame in wal_frames(log) if frame is not None]
    latest = dict(images)
    found = Found()
    for number, image in images:
        for rowid, values in _leaf_rows(number, image, latest):
            _sort_in(found, rowid, values)
    for lane, state in found.lanes.items():
        # Deleted rows lie about in free pages: below the floor they are done with.
        found.rows[lane] = {seq: row for seq, row in found.rows[lane].items() if seq > state.floor_seq}
    return found


def _sort_in(found: Found, rowid: int, values: list[Value]) -> None:
    match values:
        case [None, int(stored_ms), bytes(body), int(crc)]:
            for lane in LANES:
                if row_crc(lane, rowid, stored_ms, body) == crc:
                    # A tombstone takes the place of what it stands for: it was written later.
                    known = found.rows[lane].get(rowid)
                    if known is None or known.stored_ms <= stored_ms:
                        found.rows[lane][rowid] = Row(rowid, stored_ms, body)
        case [None, bytes(epoch), int(last), int(floor), int(dropped), int(refused), int(damaged), int(crc)]:
            with contextlib.suppress(UnicodeDecodeError):
                state = LaneState(rowid, epoch.decode(), last, floor, dropped, refused, damaged)
                if rowid in LANES and state.crc == crc and _is_later(state, found.lanes.get(rowid)):
                    found.lanes[rowid] = state


def _is_later(state: LaneState, known: LaneState | None) -> bool:
    return known is None or (state.floor_seq, state.last_seq) >= (known.floor_seq, known.last_seq)


def _leaf_rows(number: int, image: bytes, pages: dict[int, bytes]) -> Iterator[tuple[int, list[Value]]]:
    """(rowid, values) of each record that can be read on a table leaf page."""
    head = 100 if number == 1 else 0
    if len(image) < PAGE_SIZE or image[head] != _LEAF:
        return
    cells = struct.unpack_from(">H", image, head + 3)[0]
    for index in range(min(cells, (PAGE_SIZE - head - 8) // 2)):
        at = struct.unpack_from(">H", image, head + 8 + 2 * index)[0]
        with contextlib.suppress(_CutError):
            size, at = _varint(image, at)
            rowid, at = _varint(image, at)
            if size <= _MAX_PAYLOAD:
                yield rowid, _values(_payload(image, at, size, pages))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(9):
        if at + count >= len(data):
            raise _CutError
        byte = data[at + count]
        if count == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise _CutError


def _payload(image: bytes, at: int, size: int, pages: dict[int, bytes]) -> bytes:
    """A cell's bytes, with those on overflow pages."""
    if size <= _MAX_LOCAL:
        local = size
    else:
        wanted = _MIN_LOCAL + (size - _MIN_LOCAL) % (PAGE_SIZE - 4)
        local = wanted if wanted <= _MAX_LOCAL else _MIN_LOCAL
    parts = [image[at : at + local]]
    left = size - local
    if left:
        if at + local + 4 > len(image):
            raise _CutError
        following = struct.unpack_from(">I", image, at + local)[0]
        while left > 0:
            page = pages.get(following)
            if page is None or len(page) < PAGE_SIZE:
                raise _CutError
            parts.append(page[4 : 4 + min(left, PAGE_SIZE - 4)])
            left -= PAGE_SIZE - 4
            following = struct.unpack_from(">I", page, 0)[0]
    return b"".join(parts)


def _values(record: bytes) -> list[Value]:
    """A record's columns; text comes as bytes, which is all that is needed here."""
    length, at = _varint(record, 0)
    types: list[int] = []
    while at < length:
        kind, at = _varint(record, at)
        types.append(kind)
        if len(types) > 16:
            raise _CutError
    values: list[Value] = []
    for kind in types:
        if kind in (8, 9):
            values.append(kind - 8)
        elif kind == 0:
            values.append(None)
        else:
            size = _INT_SIZES.get(kind, (kind - 12) // 2 if kind >= 12 else -1)
            if size < 0 or at + size > len(record):
                raise _CutError
            raw = record[at : at + size]
            values.append(int.from_bytes(raw, "big", signed=True) if kind < 12 else raw)
            at += size
    return values
