"""What the user gave to a command, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """What the user gave to one command, by the names of its parameters."""

    given: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return an option or argument, empty where it was not given."""
        found = self.given.get(name)
        return "" if found is None else str(found)

    def flag(self, name: str) -> bool:
        """Return whether a flag was given."""
        return self.given.get(name) is True

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of an option that may be repeated."""
        found = self.given.get(name)
        return tuple(str(each) for each in found) if isinstance(found, tuple) else ()

    def number(self, name: str) -> float | None:
        """Return a number, None where it was not given."""
        found = self.given.get(name)
        return float(found) if isinstance(found, int | float) else None

    @property
    def as_json(self) -> bool:
        """Return whether the answer is for a program."""
        return self.flag("as_json")
