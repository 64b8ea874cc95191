"""People from above as blobs: one, two side by side, and what is none."""

import numpy as np

from edge_agent.counting.blobs import LEAST_SIZES, Size, Sizes, blobs, clusters, detections

SHAPE = (120, 160)
FLOOR = np.full(SHAPE, 150.0, np.float32)
PERSON = Size(area=600.0, length=35.0)


def seen(*rectangles):
    """Blobs of dark rectangles (x, y, width, height) with light stripes, which no shadow has."""
    even, mask = FLOOR.copy(), np.zeros(SHAPE, np.uint8)
    for x, y, width, height in rectangles:
        even[y : y + height, x : x + width] = 40.0
        even[y : y + height : 3, x : x + width] = 200.0
        mask[y : y + height, x : x + width] = 1
    return blobs(mask, even, FLOOR)


def middles(found, person=None):
    boxes = detections(clusters(found, person), 1.0, 1.0, SHAPE, person).boxes
    return sorted((round((x1 + x2) / 2), round((y1 + y2) / 2)) for x1, y1, x2, y2 in boxes)


def test_a_blob_of_one_persons_size_is_one_whatever_is_known():
    assert middles(seen((50, 40, 34, 18))) == middles(seen((50, 40, 34, 18)), PERSON)
    assert len(middles(seen((50, 40, 34, 18)), PERSON)) == 1


def test_two_side_by_side_in_one_blob_are_two_once_it_is_known_how_large_one_is():
    pair = seen((40, 40, 72, 18))

    assert len(middles(pair)) == 1
    left, right = middles(pair, PERSON)
    assert abs(left[0] - 58) <= 2
    assert abs(right[0] - 94) <= 2


def test_two_whole_people_near_each_other_are_two_and_an_arm_is_nobody():
    assert len(middles(seen((40, 40, 34, 18), (78, 40, 34, 18)), PERSON)) == 2
    assert len(middles(seen((40, 40, 34, 18), (76, 44, 18, 12)), PERSON)) == 1


def test_the_size_is_learnt_from_whole_people_and_scraps_and_the_frames_edge_say_nothing():
    sizes = Sizes()
    for _ in range(LEAST_SIZES):
        sizes.look(clusters(seen((0, 40, 34, 18))), SHAPE)
    assert sizes.person is None

    for _ in range(LEAST_SIZES):
        sizes.look(clusters(seen((50, 40, 34, 18))), SHAPE)
        sizes.look(clusters(seen((50, 80, 12, 10))), SHAPE)
    assert abs(sizes.person.area - 34 * 18) < 1
