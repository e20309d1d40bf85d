"""Values of a test file written anew in their places; all else of the text stays as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dirigent.lang.trial.trial import Wanted
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Change:
    """That this is wanted from now on, in place of what a test file says."""

    wanted: Wanted
    value: Value


def updated(text: str, changes: Sequence[Change]) -> str:
    """Return a test file with other values, each as JSON on one line, which YAML is, too."""
    starts = _starts(text)
    for change in sorted(changes, key=lambda each: each.wanted.span, reverse=True):
        key, place = change.wanted.span, change.wanted.place
        if place is None:
            continue
        begin, end = _offset(starts, place.line, place.column), _end(text, starts, place)
        written = json.dumps(change.value, ensure_ascii=False)
        if place.line > key.line or begin == end:
            # What stood below its name may have been indented less than JSON must be.
            begin = text.index(":", _offset(starts, key.end_line, key.end_column) - 1) + 1
            written = f" {written}"
        text = text[:begin] + written + text[max(begin, end) :]
    return text


def _starts(text: str) -> list[int]:
    """Return where each line begins."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _offset(starts: Sequence[int], line: int, column: int) -> int:
    return starts[line - 1] + column - 1


def _end(text: str, starts: Sequence[int], place: Span) -> int:
    end = min(len(text), _offset(starts, place.end_line, place.end_column))
    # A block of text ends where the next line begins.
    return end - 1 if place.end_column == 1 and place.end_line > place.line and text[end - 1] == "\n" else end
