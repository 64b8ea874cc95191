"""kill -9 of agent, hub and broker at random moments, and an uplink that is cut: nothing lost, nothing twice.

Held against a record of what the agent's outbox accepted: by sequence numbers, and by what the events say.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text
from support.counting_agent import numbered
from support.hub import PROGRAM
from support.servers import Mosquitto, mosquitto
from support.wait import until

from hub.store.continuity import continuity
from hub.store.database import Database, database_url
from wire.messages import decode_event

pytestmark = [pytest.mark.integration, pytest.mark.slow]

GATEWAY = "gw-kill-0001"
SEED = int(os.environ.get("ANFANG_SEED", "20261124"))
EVENTS = int(os.environ.get("ANFANG_KILL_EVENTS", "20000"))
KILLS = int(os.environ.get("ANFANG_KILLS", "200"))


@dataclass
class Process:
    """Something that is killed and started again. What it says goes to a file."""

    name: str
    command: list[str]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.running = subprocess.Popen(self.command, stdout=log, stderr=log, env=os.environ | self.environment)

    def kill(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()
            self.running = None

    def check(self) -> None:
        """It must not end by itself."""
        assert self.running is not None
        log = (self.folder / f"{self.name}.log").read_text()[-2000:]
        assert self.running.poll() is None, f"{self.name} ended by itself:\n{log}"


@dataclass
class House:
    """Agent, broker and hub."""

    folder: Path
    broker: Mosquitto
    agent: Process
    hub: Process

    def start(self) -> None:
        self.hub.start()
        self.agent.start()

    def stop(self) -> None:
        self.agent.kill()
        self.hub.kill()

    @property
    def is_delivered(self) -> bool:
        self.agent.check()
        self.hub.check()
        return (self.folder / "delivered").exists()


def a_house(folder: Path, broker: Mosquitto, *, events: int, per_s: float) -> House:
    tests = str(Path(__file__).parents[1])
    agent = [sys.executable, "-m", "support.counting_agent", str(folder), broker.url, GATEWAY, str(events), str(per_s)]
    hub = [PROGRAM, "ingest", "--data-dir", str(folder / "hub"), "--mqtt", broker.url]
    return House(
        folder,
        broker,
        Process("agent", agent, folder, {"PYTHONPATH": tests}),
        Process("hub", hub, folder),
    )


def check(folder: Path, events: int) -> None:
    """What was accepted against the hub's database."""
    accepted = (folder / "accepted").read_text()
    done = {
        (epoch, int(seq)): int(n) for n, epoch, seq in re.findall(r"^done (\d+) (\S+) (\d+)$", accepted, re.MULTILINE)
    }
    assert max(int(last) for last in re.findall(r"^begin \d+ (\d+)$", accepted, re.MULTILINE)) == events
    database = Database(database_url(folder / "hub", None))
    try:
        with database.read() as session:
            query = text(
                "SELECT s.epoch, e.seq, e.device, e.body FROM event e JOIN stream s ON s.id = e.stream_id ORDER BY e.id"
            )
            rows = session.connection().execute(query).all()
            epochs = continuity(session, GATEWAY)
            assert session.connection().execute(text("SELECT count(*) FROM rejected_batch")).scalar_one() == 0
    finally:
        database.close()
    held = {(row.epoch, row.seq): int(row.device.removeprefix("n-")) for row in rows}
    assert len(held) == len(rows), "an event was stored twice under one number"
    assert len(set(held.values())) == len(rows), "an event was stored twice under two numbers"
    for row in rows:
        assert decode_event(row.body.encode()) == numbered(held[row.epoch, row.seq]), (
            "an event is not what was accepted"
        )
    lost = {place: n for place, n in done.items() if held.get(place) != n}
    assert not lost, f"{len(lost)} accepted events are missing or others: {sorted(lost.items())[:5]}"
    # Of what was begun and not noted as done, the outbox may have had some on disk: those count like any other.
    assert set(held.values()) <= set(range(1, events + 1))
    for epoch in epochs:
        seqs = sorted(seq for name, seq in held if name == epoch.epoch)
        assert (epoch.holes, epoch.contiguous_seq, epoch.stored) == ([], max(seqs), len(seqs))
        # Within a lane, the order of numbers is the order of accepting; batches may be stored in any order (wire.md).
        assert [held[epoch.epoch, seq] for seq in seqs] == sorted(held[epoch.epoch, seq] for seq in seqs)


@pytest.mark.timeout(1500)
def test_two_hundred_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    print(f"ANFANG_SEED={SEED}")
    chance = random.Random(SEED)
    killed = {"agent": 0, "hub": 0, "broker": 0}
    with mosquitto(tmp_path / "broker") as broker:
        house = a_house(tmp_path, broker, events=EVENTS, per_s=EVENTS / (KILLS * 0.35))
        house.start()
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.05, 1.0))  # the random moment itself
                victim = chance.choice(["agent", "agent", "hub", "broker"])
                killed[victim] += 1
                if victim == "broker":
                    broker.kill()
                    broker.start()
                else:
                    process = house.agent if victim == "agent" else house.hub
                    process.check()
                    process.kill()
                    process.start()
            print(killed)
            (tmp_path / "hurry").write_text("")
            until(lambda: house.is_delivered, deadline_s=600, what="everything being acknowledged")
        finally:
            house.stop()
    check(tmp_path, EVENTS)


@pytest.mark.timeout(900)
def test_an_uplink_that_was_cut_for_a_while_delivers_everything_afterwards(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        house = a_house(tmp_path, broker, events=5000, per_s=1000)
        house.start()
        accepted = tmp_path / "accepted"
        try:
            until(
                lambda: accepted.exists() and "done 1000 " in accepted.read_text(), deadline_s=200, what="a beginning"
            )
            broker.kill()
            until(lambda: "done 4000 " in accepted.read_text(), deadline_s=200, what="events piling up while it is cut")
            broker.start()
            until(lambda: house.is_delivered, deadline_s=400, what="everything being acknowledged")
        finally:
            house.stop()
    check(tmp_path, 5000)
