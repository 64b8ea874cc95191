"""Devices over the API: what each last said of itself, its profile and its software among it."""

from pathlib import Path

from support.api import running_api
from support.house import House, event

from hub.access.roles import Role


def test_a_device_shows_which_profile_reads_it_and_what_it_runs(tmp_path: Path) -> None:
    house = House(tmp_path)
    told = {"online": True, "profile": "yale/yrd226@1f3c9a0b", "firmware": "5.10.1"}
    house.send(
        event("device.health", house.now, "lock-101", **told),
        event("device.health", house.now, "lock-102", online=True),
    )
    # What is told later goes beside what was told before.
    house.send(event("device.health", house.now, "lock-101", battery_pct=80.0))
    house.send(event("device.health", house.now, "lock-101", firmware="5.10.2"))
    house.close()
    with running_api(tmp_path) as hub:
        items = hub.caller(Role.VIEWER).get("/api/v1/devices").json()["items"]
    shown = {item["device"]: (item["profile"], item["firmware"], item["battery_pct"]) for item in items}
    assert shown == {"lock-101": ("yale/yrd226@1f3c9a0b", "5.10.2", 80.0), "lock-102": (None, None, None)}
