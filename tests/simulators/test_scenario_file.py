"""Scenario files: what is right loads, what is wrong names its file, line and mend."""

from pathlib import Path

import pytest

from simulators.errors import ScenarioError
from simulators.scenario import PresentCard
from simulators.scenario_file import find_scenario, load_scenario, parse_scenario

GOOD = """\
scenario: 1
title: {zh: 一次刷卡, en: One card}
lasts_s: 10
gateway: gw-demo-0001
building: 990000-0001-1
registry: seed.yaml
devices:
  - is_a: osdp_reader
    id: reader-101
    address: 1
    profile: generic/osdp-reader
    opens_for: ["25,25986"]
steps:
  - at_s: 2
    device: reader-101
    do: present_card
    card: "25,25986"
    says: {zh: 刷卡, en: A card}
    becomes:
      - {kind: lock.access, data: {result: granted}}
alerts:
  - {rule: C8, unit: 990000-0001-1-101, because: {zh: 租期已满, en: The lease is over}}
"""


def test_a_scenario_loads_with_typed_steps() -> None:
    scenario = parse_scenario(GOOD, "good.yaml")
    (step,) = scenario.steps
    assert isinstance(step, PresentCard)
    assert step.card == "25,25986"
    assert scenario.device("reader-101").address == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("lasts_s: 10", "lasts: 10", 3, "lasts: no such key"),
        ("lasts_s: 10\n", "", 1, "lasts_s: is missing"),
        ("at_s: 2", "at_s: 20", 14, "after the end (10); raise lasts_s"),
        ("    device: reader-101", "    device: reader-102", 15, "no device 'reader-102'; there are reader-101"),
        ("do: present_card", "do: present_crad", 14, "present_crad"),
        ('    card: "25,25986"', "    card: twelve", 14, "expected decimal digits"),
        ('    card: "25,25986"\n', "", 14, "card: is missing"),
        ("lock.access", "lock.acess", 20, "'lock.acess' is none of"),
        ("rule: C8", "rule: complaint", 22, "alerts.0.rule"),
        ("is_a: osdp_reader", "is_a: osdp_redaer", 8, "osdp_redaer"),
        ("gateway: gw-demo-0001", "gateway: GW 1", 4, "gateway"),
        ("title: {zh: 一次刷卡, en: One card}", "title: [", 4, "not YAML"),
        ("building: 990000-0001-1", "building: a\nbuilding: b", 6, "stands twice"),
    ],
)
def test_a_fault_names_file_line_and_mend(old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(GOOD.replace(old, new, 1), "faulty.yaml")
    text = str(caught.value)
    assert any(part.startswith(f"faulty.yaml:{line}: ") and words in part for part in text.splitlines()), text


def test_a_step_that_does_not_fit_its_device_is_refused() -> None:
    text = GOOD.replace("do: present_card", "do: set_smoke").replace('    card: "25,25986"\n', "    on: true\n", 1)
    with pytest.raises(ScenarioError, match="set_smoke does not fit a device that is_a osdp_reader"):
        parse_scenario(text, "x.yaml")


def test_steps_stand_in_the_order_of_their_time() -> None:
    step = GOOD[GOOD.index("  - at_s: 2") : GOOD.index("alerts:")]
    text = GOOD.replace(step, step + step.replace("at_s: 2", "at_s: 1"))
    with pytest.raises(ScenarioError, match=r"x\.yaml:21: steps\.1\.at_s: steps stand in the order"):
        parse_scenario(text, "x.yaml")


def test_two_devices_of_one_id_are_refused() -> None:
    device = GOOD[GOOD.index("  - is_a") : GOOD.index("steps:")]
    with pytest.raises(ScenarioError, match="is there already"):
        parse_scenario(GOOD.replace(device, device + device), "x.yaml")


def test_a_file_that_is_not_there_and_one_that_is_no_text_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: caf\xe9".encode("latin-1"))
    with pytest.raises(ScenarioError, match="save it as UTF-8"):
        load_scenario(tmp_path / "latin.yaml")


def test_a_registry_that_is_not_beside_the_scenario_is_named(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"no file .*seed\.yaml"):
        load_scenario(path)
    (tmp_path / "seed.yaml").touch()
    assert load_scenario(path).gateway == "gw-demo-0001"


def test_an_unknown_name_lists_what_is_shipped() -> None:
    with pytest.raises(ScenarioError, match=r"neither shipped nor a \.yaml file; there are"):
        find_scenario("evening")
