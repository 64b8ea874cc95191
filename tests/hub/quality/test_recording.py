"""A recording in windows: alarms by themselves, time that passes, silence that is noticed; errors name their line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.ingest.reading import Delivered
from hub.quality.recording import Window, windows

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
STEP_S = 3600.0


def line(gateway: str, seq: int, at_s: float, kind: str = "gateway.health", **data: object) -> bytes:
    at = (START + timedelta(seconds=at_s)).isoformat().replace("+00:00", "Z")
    event = {"gateway": gateway, "epoch": "e", "seq": seq, "sent_at": at, "observed_at": at, "device": "d"}
    return msgspec.json.encode(event | {"kind": kind, "data": data or {"uptime_s": 1.0}})


def played(folder: Path, lines: list[bytes]) -> list[Window | datetime]:
    path = folder / "events.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return list(windows(path, STEP_S))


def instant(step: Window | datetime) -> float:
    return ((step.now if isinstance(step, Window) else step) - START).total_seconds()


def test_an_alarm_is_taken_by_itself(tmp_path: Path) -> None:
    lines = [
        line("gw-1", 1, 10),
        line("gw-1", 2, 20, "smoke.state", alarm=True),
        line("gw-1", 3, 30, "device.health", tamper=True),
        line("gw-1", 4, 40),
        line("gw-1", 5, 50),
    ]
    found = [step for step in played(tmp_path, lines) if isinstance(step, Window)]
    assert [(len(window.lines), window.is_alarm) for window in found] == [
        (1, False), (1, True), (1, True), (2, False),
    ]  # fmt: skip
    assert all(isinstance(message, Delivered) for window in found for message in window.messages())


def test_a_silent_gateway_is_looked_at_while_it_is_silent(tmp_path: Path) -> None:
    talking = [line("talks", n + 1, 240.0 * n) for n in range(30)]
    silent = [line("falls-silent", 1, 5.0), line("falls-silent", 2, 2400.5)]
    lines = sorted([*talking, *silent], key=lambda text: msgspec.json.decode(text)["sent_at"])
    steps = played(tmp_path, lines)
    looks = [instant(step) for step in steps if isinstance(step, datetime)]
    assert any(305 + 300 < at <= 305 + 400 for at in looks)
    before = [
        window.now
        for window in steps
        if isinstance(window, Window) and any(head.gateway != "talks" for head, _ in window.lines)
    ]
    assert (before[0] - START).total_seconds() <= 305


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gw-a", "gw-b", "gw-c"]),
            st.floats(0, 20_000),
            st.sampled_from(["gateway.health", "lock.alarm"]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_time_never_goes_back_and_no_line_is_lost(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, float, str]]
) -> None:
    ordered = sorted(events, key=lambda item: item[1])
    lines = [line(gateway, n + 1, at_s, kind, alarm="forced") for n, (gateway, at_s, kind) in enumerate(ordered)]
    steps = played(tmp_path_factory.mktemp("run"), lines)
    instants = [instant(step) for step in steps]
    assert instants == sorted(instants)
    assert sum(len(step.lines) for step in steps if isinstance(step, Window)) == len(lines)


def test_a_line_that_is_no_event_is_refused_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"events.ndjson:2: "):
        played(tmp_path, [line("gw-1", 1, 1), b"nonsense"])
    with pytest.raises(ConfigError, match=r"events.ndjson:1: gateway 'G'"):
        played(tmp_path, [line("G", 1, 1)])
