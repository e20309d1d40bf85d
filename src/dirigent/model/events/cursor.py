"""How far a sink of events is, and which events it wants: what a store remembers of it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from dirigent.model.events.listening import Place
from dirigent.model.record import dataclass

START: Final[Place] = (0, 0)
# What is optional in the standard, and says nothing that other events do not: only for those who name it.
STATUS: Final = "status-changed"
EVERYTHING: Final = ("*",)


@dataclass(frozen=True, slots=True)
class Cursor:
    """All up to `place` was delivered to a sink, or is not for it.

    `types` and `sources` are patterns, in which `*` stands for any text; an event is for the sink when one
    of each fits. `owner` is who declares it: a stack, or a command.
    """

    sink: str
    place: Place = START
    types: tuple[str, ...] = EVERYTHING
    sources: tuple[str, ...] = EVERYTHING
    owner: str = ""

    def wants_type(self, kind: str) -> bool:
        """Return whether events of a type may be for it."""
        return fits(kind, self.types)

    def wants(self, kind: str, source: str) -> bool:
        """Return whether an event of this type and source is for it."""
        return fits(kind, self.types) and fits(source, self.sources)


def fits(text: str, patterns: Sequence[str]) -> bool:
    """Return whether one of the patterns fits a text. One that names no change of status fits none."""
    for pattern in patterns:
        if STATUS in text and STATUS not in pattern:
            continue
        # Only `*` is special: brackets and question marks are text.
        if fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]")):
            return True
    return False
