"""The demo as a process: it checks what it promises, finds what is wrong, and leaves nothing behind."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.wait import until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("demo")]

SIM = str(Path(sys.executable).with_name("anfang-sim"))
UNIT = "990000-0002-1-101"

REGISTRY = """\
registry: 1
scopes:
  - {code: test, kind: organisation, name: 测试物业}
  - {code: 990000-0002, kind: estate, name: 测试小区, parent: test}
buildings:
  - {code: 990000-0002-1, name: 测试楼, scope: 990000-0002, gateways: [gw-test-0001]}
units:
  - code: 990000-0002-1-101
    building: 990000-0002-1
    rooms: [{name: 主卧, type: bedroom, area_m2: 14, basis: usable}]
    devices:
      - {gateway: gw-test-0001, device: reader-101, kind: reader}
      - {gateway: gw-test-0001, device: smoke-101, kind: smoke, placement: room}
"""

SCENARIO = """\
scenario: 1
title: {zh: 一间房, en: One flat}
lasts_s: 7
gateway: gw-test-0001
building: 990000-0002-1
registry: seed.yaml
devices:
  - is_a: osdp_reader
    id: reader-101
    profile: generic/osdp-door-reader
    address: 7
    unit: 990000-0002-1-101
    opens_for: ["25,10101"]
    begins:
      - {kind: device.health, data: {online: true}}
      - {kind: device.health, data: {tamper: false, fault: false}}
  - is_a: zigbee
    id: smoke-101
    profile: heiman/hs1sa
    address: flat-101/smoke
    unit: 990000-0002-1-101
    begins: [{kind: device.health, data: {online: true}}]
steps:
  - at_s: 1
    device: reader-101
    do: present_card
    card: "25,10101"
    says: {zh: 刷卡, en: a card}
    becomes: [{kind: lock.access, data: {result: granted}}]
  - at_s: 2
    device: smoke-101
    do: set_state
    state: {smoke: true, test: false, tamper: false, battery_low: false, battery: 96, trouble: false}
    says: {zh: 起烟, en: smoke}
    becomes:
      - {kind: smoke.state, data: {alarm: true}}
      - {kind: device.health, data: {battery_pct: 96}}
alerts:
  - {rule: L1, unit: 990000-0002-1-101, because: {zh: 烟雾, en: smoke}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "seed.yaml").write_text(REGISTRY, encoding="utf-8")
    path = tmp_path / "flat.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def _demo(scenario: Path, folder: Path, *options: str) -> list[str]:
    return [SIM, "demo", "--scenario", str(scenario), "--dir", str(folder), *options]


def _left_behind(folder: Path) -> list[str]:
    """Command lines of processes that work in the demo's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_a_check_of_one_flat_keeps_every_promise_and_leaves_no_process(scenario: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = subprocess.run(_demo(scenario, folder, "--check"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO" not in done.stdout
    assert "promises kept" in done.stdout
    ground_truth = [json.loads(line) for line in (folder / "ground_truth.jsonl").read_text().splitlines()]
    assert [entry["what"] for entry in ground_truth] == ["started", "started", "present_card", "set_state"]
    assert _left_behind(folder) == []


def test_a_check_finds_what_did_not_happen_as_written(scenario: Path, tmp_path: Path) -> None:
    wrong = SCENARIO.replace("data: {result: granted}", "data: {result: denied}").replace("rule: L1", "rule: S1")
    scenario.write_text(wrong, encoding="utf-8")
    command = _demo(scenario, tmp_path / "demo", "--check")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "lock.access has result 'granted' instead of 'denied'" in done.stdout
    assert f"alert S1 {UNIT}" in done.stdout
    assert f"L1 about unit:{UNIT}" in done.stdout


def test_a_part_that_cannot_start_is_told_with_the_place_of_its_log(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(REGISTRY + "landlords: []\n", encoding="utf-8")
    folder = tmp_path / "demo"
    done = subprocess.run(_demo(scenario, folder, "--check"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "registry load: exit status" in done.stderr
    assert "landlords" in done.stderr
    assert "Traceback" not in done.stderr
    assert _left_behind(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_shown_demo_prints_a_link_and_stops_cleanly_when_told(
    scenario: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "demo"
    near, far = pty.openpty()
    demo = subprocess.Popen(_demo(scenario, folder, "--language", "en"), stdout=far, stderr=far, stdin=far)
    os.close(far)
    os.set_blocking(near, False)
    seen = bytearray()

    def read_screen() -> bytearray:
        # OSError: nothing new, or nobody has the terminal open any more.
        with contextlib.suppress(OSError):
            seen.extend(os.read(near, 65536))
        return seen

    def shows(words: bytes) -> bool:
        assert demo.poll() is None, seen.decode()
        return words in read_screen()

    until(lambda: shows(b"/enter#"), deadline_s=200, what="the sign-in link")
    until(lambda: shows(b"Smoke alarm"), deadline_s=200, what="the alert on the screen")
    assert _left_behind(folder)
    demo.send_signal(number)
    # The screen goes on being read: a full terminal would hold the demo up.
    until(lambda: [read_screen(), demo.poll()][1] is not None, what="the end")
    os.close(near)
    assert b"stopping" in seen
    assert demo.returncode == (0 if number == signal.SIGINT else 128 + number)
    assert _left_behind(folder) == []
