"""People living their days: the same seed gives the same files, the truth fits the events, and errors stay errors."""

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.errors import SimulatorError
from simulators.residents.noise import NOISES, Noise, noise_named
from simulators.residents.stories import STORIES
from simulators.residents.world import RunPlan, World
from wire.messages import decode_event

FIRST = date(2026, 3, 2)


def world(units: int, days: int, seed: int, noise: str = "typical") -> World:
    return World(RunPlan(units, days, seed, NOISES[noise], noise, FIRST))


class Head(msgspec.Struct):
    gateway: str
    epoch: str
    seq: int
    kind: str
    unit: str | None = None
    data: dict[str, object] = {}


def test_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        world(20, 3, seed).write(tmp_path / name)
    for file in ("events.ndjson", "site.yaml", "truth.json", "organisation.key"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
        assert (tmp_path / "a" / file).read_bytes() != (tmp_path / "c" / file).read_bytes()


def test_every_story_is_told_when_there_are_flats_enough() -> None:
    told = {plan.story for plan in world(60, 10, 3).plans}
    assert told >= set(STORIES)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(NOISES)))
def test_every_line_is_a_wire_event_and_each_lane_counts_without_a_hole(seed: int, noise: str) -> None:
    numbers: dict[tuple[str, str], int] = {}
    for line in world(6, 3, seed, noise).lines():
        head = msgspec.json.decode(line, type=Head)
        assert decode_event(line).kind == head.kind
        assert head.seq == numbers.get((head.gateway, head.epoch), 0) + 1
        numbers[head.gateway, head.epoch] = head.seq


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_perfect_sensors_report_exactly_who_really_passed(seed: int) -> None:
    run = world(6, 4, seed, "none")
    counted = {plan.entry.code: 0 for plan in run.plans if plan.has_counter}
    starts = {plan.entry.code: inside.people[0] for plan, inside in zip(run.plans, run.inside, strict=True)}
    for line in run.lines():
        head = msgspec.json.decode(line, type=Head)
        if head.kind == "people.crossing":
            count = head.data["count"]
            assert isinstance(count, int)
            counted[head.unit or ""] += count if head.data["direction"] == "in" else -count
    for plan, inside in zip(run.plans, run.inside, strict=True):
        assert min(inside.people) >= 0
        assert inside.at == sorted(inside.at)
        carried = any(person.kind == "infant" for person in plan.household.people)
        # The last minute's crossings are reported after the run's end.
        if plan.has_counter and not carried and inside.at[-1] < run.calendar.end_s - 120:
            assert starts[plan.entry.code] + counted[plan.entry.code] == inside.people[-1]


def test_the_truth_names_the_alerts_that_the_stories_bring_about(tmp_path: Path) -> None:
    run = world(60, 35, 9)
    run.write(tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    stories = {code: unit["story"] for code, unit in truth["units"].items()}
    expected = {(found["rule"], stories.get(found["subject"])) for found in truth["expected"]}
    for rule, story in (
        ("C4", "stray_card"), ("C5", "unregistered"), ("C6", "left_unreported"), ("C7", "ending"),
        ("C8", "expired_used"), ("C9", "vacant_used"), ("C11", "churn"), ("C12", "kitchen"), ("C15", "minors"),
        ("C14", "unfiled"),
    ):  # fmt: skip
        assert (rule, story) in expected
    kinds = {incident.kind for plan in run.plans for incident in plan.incidents}
    assert kinds >= {"fire", "smoke_tamper", "forced", "duress", "wrong_tries", "expired_tries", "master"}
    assert {"L1", "L3", "L4", "S1", "S2", "S4", "S6"} <= {found["rule"] for found in truth["expected"]}


def test_a_noise_is_a_name_or_a_file_that_says_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text("base: poor\ncounter: {miss: 0.3}\nlink: {uplink_hours: 5}\n", encoding="utf-8")
    noise = noise_named(str(path))
    assert (noise.counter.miss, noise.link.uplink_hours) == (0.3, 5.0)
    assert noise.counter.double == NOISES["poor"].counter.double
    assert noise_named("typical") == Noise()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("counter: {mis: 0.3}", "mis"),
        ("counter: {miss: 2}", "counter.miss"),
        ("counter: 5", "counter"),
        ("base: perfect", "perfect"),
        ("sensor: {}", "sensor"),
        ("- 1", "sections"),
        ("a: [", "not YAML"),
    ],
)
def test_a_bad_noise_file_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SimulatorError) as caught:
        noise_named(str(path))
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_a_noise_that_is_neither_a_name_nor_a_file_is_refused_with_the_names() -> None:
    with pytest.raises(SimulatorError, match="typical"):
        noise_named("loud")
