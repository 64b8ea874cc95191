"""What a camera says of its own errors reaches the belief; what the registry says goes before it."""

import pytest
from support.house import GATEWAY, House, event

from hub.evaluation.occupancy_tracking import Beliefs
from hub.occupancy import Counter

CAMERA = f"{GATEWAY}/cam"


def registry(rates: str = "") -> str:
    return f"""
registry: 1
scopes: [{{code: E1, kind: estate, name: 小区}}]
buildings: [{{code: E1-1, name: 一号楼, scope: E1, gateways: [{GATEWAY}]}}]
units:
  - code: E1-1-101
    building: E1-1
    devices: [{{gateway: {GATEWAY}, device: cam, kind: camera{rates}}}]
"""


def counter_of(house: House) -> Counter:
    beliefs = Beliefs(house.brain._registry)
    with house.db.write() as session:
        beliefs.begin(session, is_current=False)
        profile, _ = beliefs._profile(session, "E1-1-101")
        return profile.counters[CAMERA]


@pytest.mark.parametrize(("rates", "miss"), [("", 0.31), (", miss_rate: 0.05", 0.05)])
def test_measured_rates_travel_with_the_cameras_state_and_the_registry_overrules_them(house, rates, miss):
    house.load(registry(rates))
    house.tick()
    house.send(event("camera.state", house.now, "cam", state="ok", miss_rate=0.31, double_rate=0.07))

    assert (counter_of(house).miss_rate, counter_of(house).double_rate) == (miss, 0.07)

    # Later states without rates, from an older gateway, leave what is known.
    house.send(event("camera.state", house.now, "cam", state="dark"))
    assert counter_of(house).miss_rate == miss


def test_a_camera_that_says_nothing_of_itself_has_the_usual_errors(house):
    house.load(registry())
    house.tick()
    house.send(event("camera.state", house.now, "cam", state="ok"))

    assert counter_of(house) == Counter()
