import numpy as np
import pytest

from edge_agent.counting.camera_state import CameraWatch
from simulators.cameras.faults import spoiled
from simulators.cameras.scene import Corridor, draw_corridor, draw_room

GRAIN = np.random.default_rng(3)
ROOM = draw_room(Corridor((), 1.0, 1)).mean(axis=2)


def small(picture):
    """96 x 54, by averages, with a sensor's grain."""
    height, width = (int(side) for side in picture.shape)
    coarse = (
        picture[: height // 54 * 54, : width // 96 * 96].reshape(54, height // 54, 96, width // 96).mean(axis=(1, 3))
    )
    return np.clip(coarse + GRAIN.normal(0, 1, coarse.shape), 0, 255).astype(np.uint8)


def watch(after, seconds=60):
    """The states that follow when, after a minute of the good picture, `after(picture)` is what the camera sees."""
    camera = CameraWatch()
    for second in range(60):
        assert camera.step(small(ROOM), float(second)) == "ok"
    return camera, [camera.step(small(after(ROOM)), float(second)) for second in range(60, 60 + seconds)]


FAULTS = {
    "dark": lambda room: room * 0.03,
    "covered": lambda room: np.full_like(room, 90.0),
    "moved": lambda room: np.roll(room, (60, 170), axis=(0, 1)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_within_a_minute_and_gone_within_another(name):
    camera, states = watch(FAULTS[name])

    assert states[-1] == name
    assert set(states) <= {"ok", name}
    for second in range(120, 180):
        camera.step(small(ROOM), float(second))
    assert camera.state == "ok"


@pytest.mark.parametrize("light", [0.5, 0.75, 1.2])
def test_another_light_is_no_fault(light):
    assert set(watch(lambda room: room * light)[1]) == {"ok"}


def test_people_who_walk_are_no_fault():
    camera = CameraWatch()
    corridor = Corridor.random(5, walkers=12, gap_s=(0.5, 1.5))

    states = {camera.step(small(picture.mean(axis=2)), i / 10) for i, picture in enumerate(draw_corridor(corridor))}

    assert states == {"ok"}


@pytest.mark.parametrize(
    ("fault", "state"), [("black", "dark"), ("cover", "covered"), ("shift", "moved"), ("freeze", "ok")]
)
def test_the_simulated_cameras_faults_are_recognised_within_a_minute(fault, state):
    camera = CameraWatch()
    corridor = Corridor((), 180.0, 2, fps=1.0, noise=3.0)
    pictures = spoiled(draw_corridor(corridor), fault, 60, 120)

    states = [camera.step(small(picture.mean(axis=2)), float(second)) for second, picture in enumerate(pictures)]

    assert set(states[:60]) == {"ok"}
    assert states[119] == state
    assert states[179] == "ok"
