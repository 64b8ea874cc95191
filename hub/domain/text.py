"""Hold sentences in both languages, and the facts that fill them."""

from collections.abc import Mapping
from dataclasses import dataclass

Fact = str | int | float
"""A value that an explanation names."""


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages."""

    zh: str
    en: str

    def filled(self, facts: Mapping[str, Fact]) -> "Text":
        """With `{name}` replaced by facts. Raises KeyError for a name that is not among them."""
        return Text(self.zh.format_map(facts), self.en.format_map(facts))
