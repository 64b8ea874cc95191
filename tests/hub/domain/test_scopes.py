"""The one scope predicate, in Python and in SQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, select

from hub.domain.scopes import is_within, is_within_any, within_any

CODES = st.lists(st.sampled_from(["990000", "99_000", "0001", "1", "10", "3%"]), min_size=1, max_size=4).map("-".join)


def test_a_scope_holds_itself_and_what_continues_it_with_a_hyphen() -> None:
    assert is_within("990000-0001", "990000-0001")
    assert is_within("990000-0001-3", "990000-0001")
    assert not is_within("990000-00012", "990000-0001"), "another estate whose code begins with the same digits"
    assert not is_within("990000", "990000-0001")
    assert not is_within(None, "990000")


@given(st.lists(CODES, max_size=8), st.lists(CODES, min_size=1, max_size=3))
def test_the_database_selects_what_python_lets_through(codes: list[str], scopes: list[str]) -> None:
    table = Table("places", MetaData(), Column("code", String), Column("other", String))
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        table.create(connection)
        if codes:
            connection.execute(table.insert(), [{"code": code, "other": None} for code in codes])
        query = select(table.c.code).where(within_any(scopes, table.c.code, table.c.other))
        found = sorted(connection.execute(query).scalars())
    engine.dispose()
    assert found == sorted(code for code in codes if is_within_any((code,), scopes))


def test_no_scopes_are_refused_instead_of_selecting_nothing() -> None:
    with pytest.raises(ValueError, match="leave the condition out"):
        within_any((), Column("code", String))
