"""Places in a text, as people count them."""

from __future__ import annotations

from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file: lines and columns count from 1, the end is exclusive.

    Columns count characters (code points), as editors show them, not bytes.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def beginning(self) -> Span:
        """Return it, or its first character where it goes over several lines."""
        if self.line == self.end_line:
            return self
        return Span(self.file, self.line, self.column, self.line, self.column + 1)

    def __lt__(self, other: Span) -> bool:
        """Return whether it comes first: by file, then by its beginning."""
        return (self.file, self.line, self.column) < (other.file, other.line, other.column)

    def __str__(self) -> str:
        """Return the clickable form, `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


def span_of(written: object) -> Span | None:
    """Return the place that its fields stand for in a request, None for anything else."""
    match written:
        case [str(file), int(line), int(column), int(end_line), int(end_column)]:
            return Span(file, line, column, end_line, end_column)
        case _:
            return None
