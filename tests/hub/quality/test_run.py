"""A recording through the whole hub; and what it left, played again."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace
from sqlmodel import func, select

from hub.policies.packs import standard_packs
from hub.quality.judge import judge
from hub.quality.run import run_recording
from hub.quality.truth_file import read_truth
from hub.replay import schedule
from hub.replay.run import replay
from hub.store.tables.alerts import AlertRow
from hub.store.tables.ingest import EventRow
from simulators.residents.noise import NOISES, LinkNoise
from simulators.residents.world import RunPlan, World
from wire.clock import SystemClock


@pytest.mark.parametrize(("seed", "noise"), [(3, "typical"), (4, "poor")])
def test_what_a_recording_led_to_is_what_its_replay_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, noise: str
) -> None:
    # As coarse as with many events, and none of their number.
    monkeypatch.setattr(schedule, "STEPS", ((10, schedule.FINE), (10, timedelta(minutes=5))))
    link = LinkNoise(uplink_outages_per_day=0.5, power_outages_per_day=0.3)
    plan = RunPlan(40, 6, seed, replace(NOISES[noise], link=link), noise, date(2026, 3, 2))
    World(plan).write(tmp_path / "recorded")
    truth = read_truth(tmp_path / "recorded" / "truth.json")
    database, ran = run_recording(
        tmp_path / "recorded", tmp_path / "hub", truth.start, SystemClock(), lambda events: None
    )
    try:
        quality = judge(database, truth, ran)
        found = replay(database, standard_packs(), since=None, until=None, on_progress=lambda done, of: None)
    finally:
        database.close()
    assert ran.events == found.played.events > 1000
    assert ran.unfolded == 0
    lines = [line for outcome in found.outcomes for line in outcome.lines]
    assert len(lines) == sum(score.raised for score in quality.scores.values()) > 20
    assert [(line.verdict, line.either.rule_id, line.differs) for line in lines if line.verdict != "same"] == []
    # To the instant, which is finer than what a comparison lets pass.
    assert all(line.stored and line.replayed and line.stored.opened_at == line.replayed.opened_at for line in lines)
    assert {"T1", "C1", "C5", "C7"} <= quality.scores.keys()
    for rule in ("C1", "C5", "C12", "C15"):
        assert quality.scores[rule].wrong == []
        assert quality.scores[rule].missed == []


def raised(folder: Path, data_dir: Path) -> list[tuple[str, str]]:
    """Rule and subject of every alert that a recording leads to, but for those about the link itself."""
    truth = read_truth(folder / "truth.json")
    database, ran = run_recording(folder, data_dir, truth.start, SystemClock(), lambda events: None)
    try:
        assert ran.unfolded == 0
        with database.read() as session:
            found = session.exec(select(AlertRow.rule_id, AlertRow.subject)).all()
            stored = session.exec(select(func.count()).select_from(EventRow)).one()
    finally:
        database.close()
    assert stored == ran.events
    return sorted((rule, subject) for rule, subject in found if not rule.startswith("T"))


def test_what_comes_twice_or_in_another_order_leads_to_the_same_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "STEPS", ((10, schedule.FINE), (10, timedelta(minutes=5))))
    World(RunPlan(25, 5, 8, NOISES["typical"], "typical", date(2026, 3, 2))).write(tmp_path / "clean")
    shutil.copytree(tmp_path / "clean", tmp_path / "messy")
    lines = (tmp_path / "clean" / "events.ndjson").read_bytes().splitlines(keepends=True)
    rng = Random(1)
    # Each line may come up to six places later than it was sent, and one in ten comes once more.
    places = [(n + rng.randrange(7), n, line) for n, line in enumerate(lines)]
    places += [(n + 7 + rng.randrange(30), n, line) for n, line in enumerate(lines) if rng.random() < 0.1]
    (tmp_path / "messy" / "events.ndjson").write_bytes(b"".join(line for _, _, line in sorted(places)))
    clean = raised(tmp_path / "clean", tmp_path / "hub-1")
    assert len(clean) > 10
    messy = raised(tmp_path / "messy", tmp_path / "hub-2")
    assert (sorted(set(messy) - set(clean)), sorted(set(clean) - set(messy))) == ([], [])
