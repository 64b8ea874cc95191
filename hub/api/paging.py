"""Lists in pages: `{"items": […], "next": cursor or null}`. A cursor is opaque to callers, and checked on return."""

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlmodel import col, or_

from hub.api.problems import FieldError, Problem

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="how many items at most")]
Search = Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$", description="what a line must contain")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before")]


class Page(BaseModel, Generic[T]):
    """One page of a list. `next` is null at the end."""

    items: list[T]
    next: str | None = None


def to_cursor(key: object) -> str:
    """The opaque form of a key: a struct or a plain value that msgspec can write."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def from_cursor(cursor: str | None, kind: type[T]) -> T | None:
    """The key in a cursor, of the given type. Raises Problem (422) for a cursor that this hub did not make."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
    except (msgspec.DecodeError, binascii.Error, UnicodeError) as error:
        raise not_ours() from error


def not_ours() -> Problem:
    """For a cursor that this hub did not make, or made for another list."""
    return Problem(
        "invalid",
        "cursor: not one of this hub's; start again without it",
        [FieldError(field="cursor", code="cursor", message="not one of this hub's")],
    )


def holds(text: str, *columns: Any) -> ColumnElement[bool]:
    """Whether one of the columns contains the text as it stands, in either case."""
    return or_(*(col(column).icontains(text.strip(), autoescape=True) for column in columns))
