"""Decide whether a code lies within a scope, in Python and in SQL. Nothing else knows how codes nest.

A code is a path of parts joined by hyphens: `990000-0001` (estate), `990000-0001-3` (building),
`990000-0001-3-1-1001` (unit). A scope is such a code; it holds itself and everything that continues it with a hyphen.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, or_
from sqlmodel import col


def is_within(code: str | None, scope: str) -> bool:
    """Return whether `code` is `scope` or lies below it. No code lies nowhere."""
    return code is not None and (code == scope or code.startswith(f"{scope}-"))


def is_within_any(codes: Iterable[str | None], scopes: Collection[str]) -> bool:
    """Return whether one of `codes` lies within one of `scopes`; False when `scopes` is empty."""
    return any(is_within(code, scope) for code in codes for scope in scopes)


def within_any(scopes: Collection[str], *columns: object) -> ColumnElement[bool]:
    """Return the SQL condition that one of `columns` lies within one of `scopes`.

    `scopes` must not be empty: an empty one would select nothing here, and everything elsewhere means "no limit".
    Raises ValueError.
    """
    if not scopes:
        raise ValueError("within_any: no scopes; leave the condition out where there is no limit")
    return or_(
        *(
            condition
            for column in columns
            for scope in sorted(scopes)
            # Escaped, since `_` and `%` in a code would match any character in LIKE.
            for condition in (col(column) == scope, col(column).startswith(f"{scope}-", autoescape=True))
        )
    )
