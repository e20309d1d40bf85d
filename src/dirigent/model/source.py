"""Places in a text, as people count them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file: lines and columns count from 1, the end is exclusive.

    Columns count characters (code points), as editors show them, not bytes.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """Return the clickable form, `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"
