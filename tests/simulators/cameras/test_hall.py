"""The drawn corridor: what is true of it follows from where people walk."""

import numpy as np
import pytest

from simulators.cameras.hall import EVERY_CONDUCT, HEIGHT, WIDTH, Hall, draw_hall

PER_GROUP = {"pass": 1, "stop": 1, "abreast": 2, "file": 2, "meet": 2}


@pytest.mark.parametrize("conduct", EVERY_CONDUCT)
def test_who_passes_is_in_the_truth_and_who_turns_back_or_walks_along_is_not(conduct):
    hall = Hall.random(3, comers=4, conducts=(conduct,))

    assert len(hall.crossings()) == 4 * PER_GROUP.get(conduct, 0)


def test_towards_the_camera_is_in_and_grows():
    hall = Hall.random(5, comers=6, conducts=("pass",))

    for comer in hall.comers:
        start, end = comer.way[0][0], comer.way[-1][0]
        boxes = [hall.box(comer, second) for second in np.linspace(start, end - 2, 5)]
        tall = [box[3] - box[1] for box in boxes if box is not None]
        comes = comer.way[0][2] > comer.way[-1][2]
        assert (tall == sorted(tall)) == comes
    assert {side for _, side in hall.crossings()} == {"in", "out"}


def test_the_pictures_show_people_where_the_truth_has_them():
    hall = Hall.random(1, comers=1, conducts=("pass",), noise=0.0)
    empty = next(draw_hall(Hall((), 1.0, hall.seed, line_m=hall.line_m, noise=0.0))).astype(int)
    frame, _ = hall.crossings()[0]
    picture = next(one for index, one in enumerate(draw_hall(hall)) if index == frame).astype(int)

    changed = np.argwhere(np.abs(picture - empty).max(axis=2) > 20)

    x1, y1, x2, y2 = hall.box(hall.comers[0], frame / hall.fps)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert len(changed) > 500
    assert (changed[:, 0] >= y1 - 8).all()
    assert (changed[:, 0] <= min(y2, HEIGHT) + 8).all()
    assert (changed[:, 1] >= x1 - 30).all()
    assert (changed[:, 1] <= x2 + 30).all()
