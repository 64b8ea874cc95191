"""The arithmetic of ranges against plain sets."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.ranges import Ranges, add, count, holds, missing, remove, run_end

numbers = st.integers(1, 60)
spans = st.tuples(numbers, st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def build(parts: list[tuple[int, int]]) -> tuple[Ranges, set[int]]:
    ranges: Ranges = []
    plain: set[int] = set()
    for first, last in parts:
        ranges = add(ranges, first, last)
        plain |= set(range(first, last + 1))
    return ranges, plain


def is_normal(ranges: Ranges) -> bool:
    return all(first <= last for first, last in ranges) and all(
        one[1] + 1 < two[0] for one, two in itertools.pairwise(ranges)
    )


@given(st.lists(spans))
def test_adding_gives_the_union_in_normal_form(parts: list[tuple[int, int]]) -> None:
    ranges, plain = build(parts)
    assert is_normal(ranges)
    assert {n for first, last in ranges for n in range(first, last + 1)} == plain
    assert count(ranges) == len(plain)


@given(st.lists(spans), numbers)
def test_removing_takes_one_number_away(parts: list[tuple[int, int]], number: int) -> None:
    ranges, plain = build(parts)
    left = remove(ranges, number)
    assert is_normal(left)
    assert {n for first, last in left for n in range(first, last + 1)} == plain - {number}


@given(st.lists(spans), numbers)
def test_holding_is_membership(parts: list[tuple[int, int]], number: int) -> None:
    ranges, plain = build(parts)
    assert holds(ranges, number) == (number in plain)


@given(st.lists(spans), st.integers(0, 60))
def test_a_run_ends_before_the_first_number_that_is_not_there(parts: list[tuple[int, int]], after: int) -> None:
    ranges, plain = build(parts)
    end = after
    while end + 1 in plain:
        end += 1
    assert run_end(ranges, after) == end


@given(st.lists(spans), spans)
def test_what_is_missing_is_the_difference(parts: list[tuple[int, int]], span: tuple[int, int]) -> None:
    ranges, plain = build(parts)
    gaps = missing(ranges, *span)
    assert is_normal(gaps)
    assert {n for first, last in gaps for n in range(first, last + 1)} == set(range(span[0], span[1] + 1)) - plain
