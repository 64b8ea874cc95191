"""A recording is read as it arrived: each event with its own instant; errors name their line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.ingest.reading import Delivered
from hub.quality.recording import Arrival, arrivals, count_lines, messages_of
from hub.replay.schedule import is_urgent
from wire.messages import decode_event

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def line(gateway: str, seq: int, at_s: float, kind: str = "gateway.health", **data: object) -> bytes:
    at = (START + timedelta(seconds=at_s)).isoformat().replace("+00:00", "Z")
    event = {"gateway": gateway, "epoch": "e", "seq": seq, "sent_at": at, "observed_at": at, "device": "d"}
    return msgspec.json.encode(event | {"kind": kind, "data": data or {"uptime_s": 1.0}})


def played(folder: Path, lines: list[bytes]) -> list[Arrival]:
    path = folder / "events.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert count_lines(path) == len(lines)
    return list(arrivals(path))


def test_alarms_are_told_from_the_rest(tmp_path: Path) -> None:
    lines = [
        line("gw-1", 1, 10),
        line("gw-1", 2, 20, "smoke.state", alarm=True),
        line("gw-1", 3, 30, "device.health", tamper=True),
        line("gw-1", 4, 40, "device.health", tamper=False),
        line("gw-1", 5, 50, "help.call"),
    ]
    found = played(tmp_path, lines)
    assert [arrival.is_alarm for arrival in found] == [False, True, True, False, True]
    # A replay lets the same ones go first.
    assert [is_urgent(decode_event(arrival.line)) for arrival in found] == [arrival.is_alarm for arrival in found]


def test_each_event_keeps_the_instant_at_which_it_came(tmp_path: Path) -> None:
    lines = [line("gw-1", 1, 10), line("gw-2", 1, 11.5), line("gw-1", 2, 3600), line("gw-1", 9, 3700)]
    messages = messages_of(played(tmp_path, lines))
    found = [message for message in messages if isinstance(message, Delivered)]
    assert len(found) == len(messages)
    assert sorted(
        (message.gateway_id, message.first_seq, [(at - START).total_seconds() for at in message.arrived_at])
        for message in found
    ) == [("gw-1", 1, [10, 3600]), ("gw-1", 9, [3700]), ("gw-2", 1, [11.5])]


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
    lines = [line(gateway, n + 1, at_s, kind, alarm="forced") for n, (gateway, at_s, kind) in enumerate(events)]
    found = played(tmp_path_factory.mktemp("run"), lines)
    assert [arrival.at for arrival in found] == sorted(arrival.at for arrival in found)
    assert [arrival.line for arrival in found] == lines
    messages = messages_of(found)
    assert sum(len(message.events) for message in messages if isinstance(message, Delivered)) == len(lines)


def test_a_line_that_is_no_event_is_refused_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"events.ndjson:2: "):
        played(tmp_path, [line("gw-1", 1, 1), b"nonsense"])
    with pytest.raises(ConfigError, match=r"events.ndjson:1: gateway 'G'"):
        played(tmp_path, [line("G", 1, 1)])
