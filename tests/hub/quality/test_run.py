"""A recording through the whole hub; and what it left, played again."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.alerts.packs import standard_packs
from hub.quality.judge import judge
from hub.quality.run import run_recording
from hub.quality.truth_file import read_truth
from hub.replay import schedule
from hub.replay.run import replay
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
