import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.walks import TALL, VIEWS, count, path

from edge_agent.counting.line import Line

# Down the middle of a 640 x 360 picture; right of the arrow is the left half, where x is smaller.
LINE = Line(320, 0, 320, 360, "right")

TABLE = {
    "from right to left is in": ([path((0, 500, 180), (3, 140, 180))], [(15, "in")]),
    "from left to right is out": ([path((0, 140, 180), (3, 500, 180))], [(15, "out")]),
    "there and back is both": (
        [path((0, 500, 180), (3, 140, 180), (4, 140, 180), (7, 500, 180))],
        [(15, "in"), (55, "out")],
    ),
    "touching the line and returning is nothing": (
        [path((0, 500, 180), (3, 322, 180), (4, 322, 180), (7, 500, 180))],
        [],
    ),
    "a step over the line and returning is nothing": (
        [path((0, 500, 180), (3, 315, 180), (4, 315, 180), (7, 500, 180))],
        [],
    ),
    "half a step over the line and back at once is nothing": (
        [path((0, 500, 180), (3, 300, 180), (3.6, 300, 180), (6, 500, 180))],
        [],
    ),
    "half a step over the line and staying there is one": (
        [path((0, 500, 180), (3, 300, 180), (8, 300, 180))],
        [(27, "in")],
    ),
    "over the line and out of the picture is one": ([path((0, 500, 180), (3, 300, 180))], [(27, "in")]),
    "walking along the line is nothing": ([path((0, 322, 60), (2, 318, 150), (4, 322, 250), (6, 318, 300))], []),
    "standing on the line is nothing": ([path((0, 320, 180), (9, 321, 181))], []),
    "standing on the line, then on: one": (
        [path((0, 500, 180), (2, 320, 180), (6, 320, 180), (8, 140, 180))],
        [(40, "in")],
    ),
    "leaving the picture on the line is nothing": ([path((0, 500, 180), (3, 320, 180))], []),
    "appearing on the line and leaving to a side is nothing": ([path((0, 320, 180), (2, 320, 180), (5, 140, 180))], []),
    "two abreast are two": (
        [path((0, 500, 90), (3, 140, 90)), path((0, 510, 250), (3, 150, 250))],
        [(15, "in"), (16, "in")],
    ),
    "two who meet at the line are one each way": (
        [path((0, 500, 110), (3, 140, 110)), path((0, 140, 240), (3, 500, 240))],
        [(15, "in"), (15, "out")],
    ),
    "one behind the other are two": (
        [path((0, 500, 180), (3, 140, 180)), path((1, 500, 180), (4, 140, 180))],
        [(15, "in"), (25, "in")],
    ),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", TABLE)
def test_who_crosses_and_who_does_not(name, view):
    ways, expected = TABLE[name]

    found = sorted((one.direction, one.frame) for one in count(LINE, ways, 11, view))

    wanted = sorted((direction, frame) for frame, direction in expected)
    assert [direction for direction, _ in found] == [direction for direction, _ in wanted]
    # Who stands on the line has no one frame in which he passes it.
    tolerance = 21 if "standing" in name else 2
    assert all(abs(got - want) <= tolerance for (_, got), (_, want) in zip(found, wanted, strict=True))


def test_beyond_the_ends_of_the_line_nobody_crosses():
    short = Line(320, 100, 320, 200, "right")

    assert count(short, [path((0, 500, 300), (3, 140, 300))], 5) == []
    assert len(count(short, [path((0, 500, 150), (3, 140, 150))], 5)) == 1


def test_round_the_end_of_the_line_is_no_crossing():
    short = Line(320, 0, 320, 150, "right")
    around = path((0, 450, 80), (2, 450, 300), (4, 200, 300), (6, 200, 80))

    assert count(short, [around], 8) == []


def test_the_other_in_side_turns_directions_round():
    turned = Line(320, 0, 320, 360, "left")

    assert [one.direction for one in count(turned, [path((0, 500, 180), (3, 140, 180))], 5)] == ["out"]


def test_a_line_without_length_is_refused():
    with pytest.raises(ValueError, match="length"):
        count(Line(1, 1, 1, 1, "left"), [], 1)


steps = st.lists(st.tuples(st.floats(40, 600), st.floats(0.5, 1.5)), min_size=2, max_size=6)


@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from(sorted(VIEWS)))
def test_crossings_add_up_to_where_somebody_ends(wander, view):
    """However somebody wanders, in minus out is the difference between the clear sides he begins and ends on."""
    second, points = 0.0, []
    for x, pace in wander:
        if points:
            second += max(0.3, abs(x - points[-1][1]) / (pace * TALL))
        points.append((second, x, 180.0))
    points = [(0.0, points[0][1], 180.0), *((t + 1, x, y) for t, x, y in points)]
    points.append((points[-1][0] + 1.5, points[-1][1], 180.0))
    if abs(points[0][1] - 320) < 25 or abs(points[-1][1] - 320) < 25:
        return

    found = count(LINE, [path(*points)], points[-1][0] + 1, view)

    balance = sum(1 if one.direction == "in" else -1 for one in found)
    assert balance == int(points[0][1] > 320) - int(points[-1][1] > 320)
