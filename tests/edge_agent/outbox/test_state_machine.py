"""Any order of accepting, acknowledging, dropping, setting aside, crashing and renumbering, against a plain model."""

import itertools
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.outbox_rows import store_options, stored

from edge_agent.errors import OutboxError
from edge_agent.outbox.keeper import Keeper
from edge_agent.outbox.rows import LANES
from edge_agent.outbox.store import Addition, Store
from wire.events import Lane

LANE = st.sampled_from(LANES)


class Model:
    """What one lane should be."""

    def __init__(self) -> None:
        self.epoch = ""
        self.last = 0
        self.floor = 0
        self.dropped = 0
        self.rows: dict[int, bytes] = {}

    def delete_to(self, seq: int) -> None:
        self.floor = max(self.floor, seq)
        self.rows = {number: body for number, body in self.rows.items() if number > self.floor}


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-machine-"))
        self.body = itertools.count()
        self.model = {lane: Model() for lane in LANES}
        self.dead = 0
        self.open()
        for lane in LANES:
            self.model[lane].epoch = self.attempt(lambda store, lane=lane: store.lanes[lane].epoch)

    def open(self) -> None:
        self.keeper = Keeper(self.folder / "outbox.db", store_options(), lambda: 0.0)

    def attempt(self, action):
        return self.keeper.attempt(action)

    @rule(lanes=st.lists(LANE, max_size=80), acks=st.dictionaries(LANE, st.integers(0, 300)), stale=st.booleans())
    def commit(self, lanes: list[int], acks: dict[int, int], stale: bool) -> None:
        additions = [Addition(lane, 1, f"body-{next(self.body)}".encode()) for lane in lanes]
        floors = {(lane, "another" if stale else self.model[lane].epoch): seq for lane, seq in acks.items()}
        places = self.attempt(lambda store: store.commit(additions, floors))
        if not stale:
            for lane, seq in acks.items():
                if seq <= self.model[lane].last:
                    self.model[lane].delete_to(seq)
        for addition, place in zip(additions, places, strict=True):
            model = self.model[addition.lane]
            model.last += 1
            assert place == (model.epoch, model.last)
            model.rows[place.seq] = addition.body

    @rule(lane=LANE, count=st.integers(1, 50))
    def drop(self, lane: int, count: int) -> None:
        model = self.model[lane]
        dropped = self.attempt(lambda store: store.drop_oldest(lane, count))
        assert dropped == min(count, len(model.rows))
        model.delete_to(model.floor + dropped)
        model.dropped += dropped

    @rule(lane=LANE, seq=st.integers(1, 200))
    def set_aside(self, lane: int, seq: int) -> None:
        model = self.model[lane]
        assert self.attempt(lambda store: store.set_aside(lane, seq, "hub_rejected", "why")) == (seq in model.rows)
        if seq in model.rows:
            model.rows[seq] = f"tombstone {seq} hub_rejected".encode()
            self.dead += 1

    @rule(lane=LANE, after=st.integers(0, 200), events=st.integers(1, 70), size=st.integers(1, 400))
    def read(self, lane: int, after: int, events: int, size: int) -> None:
        rows = self.attempt(lambda store: store.read(lane, after, events, size))
        waiting = sorted(seq for seq in self.model[lane].rows if seq > after)
        assert [row.seq for row in rows] == waiting[: len(rows)]
        assert len(rows) <= events
        assert bool(rows) == bool(waiting)
        assert len(rows) <= 1 or sum(len(row.body) for row in rows) <= size
        assert all(row.body == self.model[lane].rows[row.seq] for row in rows)

    @rule()
    def crash(self) -> None:
        # What a kill leaves: file and log as they are.
        self.attempt(Store.abandon)
        self.open()

    @rule()
    def stop(self) -> None:
        self.keeper.close()
        self.open()

    @precondition(lambda self: any(model.rows for model in self.model.values()))
    @rule(lane=LANE)
    def renumber(self, lane: int) -> None:
        epoch = self.model[lane].epoch
        self.attempt(lambda store: store.renumber(lane, epoch))
        for number in LANES:
            model = self.model[number]
            model.epoch = self.attempt(lambda store, number=number: store.lanes[number].epoch)
            model.rows = dict(enumerate((body for _, body in sorted(model.rows.items())), 1))
            model.floor, model.last = 0, len(model.rows)
        assert self.model[lane].epoch != epoch
        self.dead = 0  # they stay readable in the file that was put aside

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        found = self.attempt(stored)
        status = self.keeper.status()
        for lane in LANES:
            model, state = self.model[lane], status.lanes[lane]
            assert found[lane] == model.rows
            assert (state.epoch, state.last_seq, state.floor_seq) == (model.epoch, model.last, model.floor)
            assert state.dropped == model.dropped
            assert state.depth == len(model.rows)
        assert status.dead_letters == self.dead

    def teardown(self) -> None:
        self.keeper.close()
        shutil.rmtree(self.folder)


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_urgent_lane_alone_is_refused_when_full(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "outbox.db", store_options(max_bytes=64 * 4096), lambda: 0.0)
    stored_bodies = 0
    refused = False
    while not refused:
        try:
            keeper.attempt(lambda store: store.commit([Addition(Lane.URGENT, 1, bytes(500))] * 10))
            stored_bodies += 10
        except OutboxError:
            refused = True
    assert keeper.status().lanes[Lane.URGENT].depth == stored_bodies > 100
    keeper.close()
