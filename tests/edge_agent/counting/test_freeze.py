"""A picture that hangs is told from one in which nothing happens."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.counting.freeze import FROZEN_S, REMEMBERED_S, FreezeWatch


def watch(fingerprints):
    camera = FreezeWatch()
    return [camera.step(fingerprint, float(second)) for second, fingerprint in enumerate(fingerprints)]


def test_the_same_picture_for_ever_is_frozen_within_a_minute_and_moves_again_at_once():
    states = watch([*range(30), *[99] * 60, 100, 101])

    assert states[:60] == [False] * 60
    assert states[89] is True
    assert states[90:] == [False, False]


def test_a_hanging_encoder_that_goes_on_making_key_frames_repeats_a_few_pictures():
    assert watch([*range(30), *[1000 + second % 4 for second in range(60)]])[-1] is True


def test_an_empty_corridor_whose_grain_changes_with_each_key_frame_is_alive():
    assert not any(watch([second // 10 for second in range(600)]))


def test_a_clip_that_plays_in_a_loop_is_alive():
    assert not any(watch([second % 20 for second in range(600)]))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(1, 20))
def test_it_is_frozen_exactly_when_nothing_new_came_for_that_long(fingerprints, gap):
    camera = FreezeWatch()
    seen, new_at = [], None
    for index, fingerprint in enumerate(fingerprints):
        now = float(index * gap)
        recent = {known for at, known in seen if now - at <= REMEMBERED_S}
        if new_at is None or fingerprint not in recent:
            new_at = now
        seen.append((now, fingerprint))

        assert camera.step(fingerprint, now) == (now - new_at >= FROZEN_S)
