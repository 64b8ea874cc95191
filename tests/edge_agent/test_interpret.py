"""From readings to events: edges, debounce, repetition, staleness, parts; tables of what was said and what comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.interpret import DeviceState, Moment, Subject, firmware_told, interpret, link_changed, tick
from edge_agent.protocols.message import Reading
from firmware_profiles.model import Profile

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> Moment:
    return Moment(START + timedelta(seconds=seconds), seconds)


class Device:
    """A device under test, told readings at times."""

    def __init__(self, fields: dict[str, Any], events: list[dict[str, Any]], **more: Any) -> None:
        profile = Profile.model_validate(
            {
                "profile": 1, "vendor": "A", "model": "B", "family": "other", "source": "test",
                "transport": {"kind": "zigbee2mqtt"},
                "fields": {name: {"json": name, **spec} for name, spec in fields.items()},
                "events": events,
                "examples": [
                    {"name": "a", "input": {}, "fields": {}},
                    {"name": "b", "input": {}, "fails": "xxx"},
                ],
                **more,
            }
        )  # fmt: skip
        self.subject = Subject("dev", profile, "u1", {"7": "u7"})
        self.state = DeviceState(is_online=True)
        self.faults: list[str] = []

    def _take(self, outcome: Any) -> list[tuple[str, dict[str, Any]]]:
        self.state = outcome.state
        self.faults += outcome.faults
        return [
            (event.kind, {name: getattr(event.data, name) for name in event.data.__struct_fields__ if getattr(event.data, name) is not None})
            for event in outcome.events
        ]  # fmt: skip

    def say(self, seconds: float, is_old: bool = False, **values: Any) -> list[tuple[str, dict[str, Any]]]:
        return self._take(interpret(self.subject, self.state, Reading(values, (), is_old), at(seconds)))

    def tick(self, seconds: float) -> list[tuple[str, dict[str, Any]]]:
        return self._take(tick(self.subject, self.state, at(seconds)))


SMOKE = [{"kind": "smoke.state", "from": {"alarm": "smoke"}}]


def alarms(said: list[tuple[str, dict[str, Any]]]) -> list[bool]:
    return [data["alarm"] for kind, data in said if kind == "smoke.state"]


def test_a_state_is_reported_when_it_changes_and_not_when_it_is_repeated():
    device = Device({"smoke": {}}, SMOKE)
    assert [alarms(device.say(n, smoke=value)) for n, value in enumerate([False, False, True, True, False])] == [
        [False], [], [True], [], [False],
    ]  # fmt: skip


def test_a_standing_alarm_is_said_again_after_its_time_and_not_for_a_device_that_is_gone():
    device = Device({"smoke": {}}, [{**SMOKE[0], "repeat_s": 60}])
    assert alarms(device.say(0, smoke=True)) == [True]
    assert alarms(device.tick(59)) == []
    assert alarms(device.tick(60)) == [True]
    assert alarms(device.tick(61)) == []
    device._take(link_changed(device.subject, device.state, at(62), is_online=False))
    assert alarms(device.tick(500)) == []


def test_a_value_counts_when_it_held_for_its_debounce_and_a_flicker_does_not():
    device = Device({"smoke": {"debounce_s": 2.0}}, SMOKE)
    assert alarms(device.say(0, smoke=False)) == []
    assert alarms(device.tick(2)) == [False]
    assert alarms(device.say(3, smoke=True)) == []
    assert alarms(device.say(4, smoke=False)) == []
    assert alarms(device.tick(10)) == []
    assert alarms(device.say(11, smoke=True)) == []
    assert alarms(device.say(13, smoke=True)) == [True]


def test_an_alarm_of_a_lock_is_said_when_it_rises_and_again_only_after_it_fell():
    events = [{"kind": "lock.alarm", "when": {"pry": True}, "set": {"alarm": "forced"}}]
    device = Device({"pry": {}}, events)
    said = [len(device.say(n, pry=value)) for n, value in enumerate([False, True, True, False, True])]
    assert said == [0, 1, 0, 0, 1]


def test_every_use_of_a_lock_is_an_event_but_the_same_word_twice_at_once_is_one():
    events = [{"kind": "lock.access", "from": {"result": "result", "credential.slot": "slot"},
               "set": {"credential.type": "pin"}, "dedup_s": 2.0}]  # fmt: skip
    device = Device({"result": {}, "slot": {}}, events)
    assert len(device.say(0, result="granted", slot=3)) == 1
    assert len(device.say(1, result="granted", slot=3)) == 0
    assert len(device.say(1.5, result="granted", slot=4)) == 1
    assert len(device.say(9, result="granted", slot=4)) == 1
    assert len(device.say(10, result=None, slot=None)) == 0


def test_what_a_broker_kept_is_a_state_and_not_a_use():
    events = [
        {"kind": "lock.access", "from": {"result": "result"}},
        {"kind": "lock.state", "from": {"state": "state"}},
    ]
    device = Device({"result": {}, "state": {}}, events)
    assert [kind for kind, _ in device.say(0, is_old=True, result="granted", state="locked")] == ["lock.state"]


def test_numbers_go_along_and_only_those_with_a_deadband_make_an_event():
    events = [{"kind": "smoke.state", "from": {"alarm": "smoke", "temperature_c": "t"}}]
    device = Device({"smoke": {}, "t": {}}, events)
    assert len(device.say(0, smoke=False, t=20.0)) == 1
    assert len(device.say(1, smoke=False, t=45.0)) == 0
    assert device.say(2, smoke=True, t=46.0)[0][1]["temperature_c"] == 46.0
    device = Device({"smoke": {}, "t": {"deadband": 5.0}}, events)
    assert [len(device.say(n, smoke=False, t=t)) for n, t in enumerate([20.0, 24.0, 25.0, 29.9])] == [1, 0, 1, 0]


def test_silence_longer_than_the_profile_allows_is_offline_and_a_word_is_online():
    device = Device({"smoke": {}}, SMOKE, health={"stale_after_s": 100})
    device.say(0, smoke=False)
    assert device.tick(100) == []
    [(kind, data)] = device.tick(101)
    assert (kind, data["online"], data["fault"]) == ("device.health", False, "silent for 100 s")
    assert device.tick(500) == []
    assert ("device.health", {"online": True}) in device.say(600, smoke=False)


def test_a_field_that_is_too_old_is_a_fault_and_no_longer_believed():
    health = {"kind": "device.health", "from": {"battery_pct": "battery"}}
    device = Device({"smoke": {"stale_after_s": 10.0}, "battery": {}}, [*SMOKE, health])
    device.say(0, smoke=True, battery=50)
    assert device.tick(11) == [("device.health", {"fault": "stale: smoke"})]
    assert device.say(12, battery=50) == []
    said = device.say(13, smoke=True)
    assert alarms(said) == [True]
    assert ("device.health", {"fault": False}) in said


def test_parts_of_a_device_are_apart_and_have_their_units():
    device = Device({"smoke": {}, "where": {}}, SMOKE, part="where")
    assert alarms(device.say(0, smoke=True, where=7)) == [True]
    assert alarms(device.say(1, smoke=True, where=8)) == [True]
    assert alarms(device.say(2, smoke=True, where=7)) == []
    outcome = interpret(device.subject, device.state, Reading({"smoke": False, "where": 7}), at(3))
    assert [(event.device, event.unit) for event in outcome.events] == [("dev/7", "u7")]


def test_a_value_that_the_wire_has_no_word_for_is_a_fault_and_the_rest_goes_on():
    events = [
        {"kind": "lock.state", "from": {"state": "state"}},
        {"kind": "device.health", "from": {"battery_pct": "battery"}},
    ]
    device = Device({"state": {}, "battery": {}}, events)
    assert device.say(0, state="ajar", battery=50) == [("device.health", {"battery_pct": 50.0})]
    assert "lock.state" in device.faults[0]


VALUES = st.none() | st.booleans() | st.integers(-3, 300) | st.sampled_from(["granted", "locked", "", "x"])


@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from(["smoke", "battery", "where"]), VALUES), st.floats(0, 100)),
        max_size=20,
    )
)
def test_no_readings_ever_raise_and_no_state_is_said_twice_in_a_row(steps):
    device = Device(
        {"smoke": {}, "battery": {"debounce_s": 3.0, "stale_after_s": 40.0}, "where": {}},
        [*SMOKE, {"kind": "device.health", "from": {"battery_pct": "battery"}}],
        part="where",
        health={"stale_after_s": 60},
    )
    now_s, last = 0.0, {}
    for values, pause_s in steps:
        now_s += pause_s
        outcome = interpret(device.subject, device.state, Reading(values), at(now_s))
        for event in outcome.events:
            # Unknown in between (a missing value) makes the same state news again.
            if event.kind == "smoke.state" and None not in values.values():
                assert last.get(event.device) != event.data.alarm
            if event.kind == "smoke.state":
                last[event.device] = event.data.alarm
        if None in values.values() or not all(
            value in (True, False) for key, value in values.items() if key == "smoke"
        ):
            last = {}
        device.state = outcome.state
        device.tick(now_s)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_the_growths_of_a_counter_add_up_to_what_it_grew(steps):
    device = Device(
        {"total": {"increase": True}},
        [{"kind": "people.crossing", "from": {"count": "total"},
          "set": {"direction": "in", "line": "door", "confidence": 1.0}}],
    )  # fmt: skip
    total, counted = 1000, 0
    device.say(0, total=total)
    for index, step in enumerate(steps, 1):
        total += step
        counted += sum(data["count"] for kind, data in device.say(index, total=total) if kind == "people.crossing")
    assert counted == sum(steps)


def test_a_message_that_comes_again_is_one_event_and_a_new_number_is_a_new_one():
    device = Device(
        {"id": {}, "slot": {}},
        [{"kind": "lock.access", "once_per": "id", "from": {"credential.slot": "slot"},
          "set": {"result": "granted", "credential.type": "card"}}],
    )  # fmt: skip
    came = [len(device.say(t, id=number, slot=3)) for t, number in enumerate((1, 1, 2, 2, 3, 1))]
    assert came == [1, 0, 1, 0, 1, 1]


def test_coming_online_tells_the_profile_and_what_the_device_runs_and_a_change_of_it_is_told_alone():
    device = Device({"smoke": {}}, SMOKE)
    device.subject = replace(device.subject, mark="acme/s1@01234567")
    device.state = DeviceState()
    assert device._take(firmware_told(device.subject, device.state, at(0), " 1.2 ")) == []
    online = {"online": True, "profile": "acme/s1@01234567", "firmware": "1.2"}
    assert device._take(link_changed(device.subject, device.state, at(1), is_online=True)) == [
        ("device.health", online)
    ]
    assert device._take(firmware_told(device.subject, device.state, at(2), "1.2")) == []
    assert device._take(firmware_told(device.subject, device.state, at(3), "")) == []
    newer = device._take(firmware_told(device.subject, device.state, at(4), "1.3" + 200 * "x"))
    assert newer == [("device.health", {"firmware": ("1.3" + 200 * "x")[:80]})]
    [(_, gone)] = device._take(link_changed(device.subject, device.state, at(5), is_online=False, reason="unplugged"))
    assert gone == {"online": False, "fault": "unplugged"}


def _timed() -> Device:
    return Device({"smoke": {}, "when": {"time": "unix_s"}}, SMOKE, observed_at="when")


def _observed(device: Device, seconds: float, told: str | None) -> datetime:
    reading = Reading({"smoke": bool(seconds % 2), "when": told})
    outcome = interpret(device.subject, device.state, reading, at(seconds))
    device.state = outcome.state
    device.faults += outcome.faults
    [event] = outcome.events
    return event.observed_at


def test_an_event_happened_when_the_device_says_so_within_what_can_be():
    device = _timed()
    assert _observed(device, 1, "2025-12-31T23:00:00.000Z") == START - timedelta(hours=1)
    # A clock that is a little ahead does not put an event into the future.
    assert _observed(device, 2, "2026-01-01T00:00:30.000Z") == START + timedelta(seconds=2)
    assert device.faults == []
    for seconds, told in ((3, "2026-01-01T02:00:00.000Z"), (4, "2025-12-24T00:00:00.000Z"), (5, None)):
        assert _observed(device, seconds, told) == START + timedelta(seconds=seconds)
    assert len(device.faults) == 2
    assert all("clock is wrong" in fault for fault in device.faults)


def test_what_zigbee2mqtt_says_once_is_news_each_time_and_what_stands_is_not():
    rule = [{"kind": "lock.alarm", "from": {"alarm": "said"}}]
    for path, expected in (("action", 2), ("alarm", 1)):
        device = Device({"said": {"json": path}}, rule)
        told = [device.say(second, said="duress") for second in (1, 2)]
        assert sum(map(len, told)) == expected
