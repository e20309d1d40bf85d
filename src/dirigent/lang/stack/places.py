"""Where a part of a scalar stands in the text of the file."""

from __future__ import annotations

from dirigent.model.source import Span


def place_within(lines: list[str], span: Span, text: str) -> Span:
    """Return the place of a part of a scalar, or of all of it where escapes or folds hide the part."""
    raw = raw_text(lines, span)
    start = raw.find(text) if text else -1
    if start < 0:
        return span
    line, column = advanced(span, raw[:start])
    end_line, end_column = advanced(Span(span.file, line, column, line, column), text)
    return Span(span.file, line, column, end_line, end_column)


def raw_text(lines: list[str], span: Span) -> str:
    """Return the text of a span as it is written."""
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1] if span.line <= len(lines) else ""
    taken = lines[span.line - 1 : span.end_line]
    if not taken:
        return ""
    if len(taken) == span.end_line - span.line + 1:
        taken[-1] = taken[-1][: span.end_column - 1]
    taken[0] = taken[0][span.column - 1 :]
    return "\n".join(taken)


def advanced(start: Span, passed: str) -> tuple[int, int]:
    """Return the line and column behind a text that begins where a span begins."""
    breaks = passed.count("\n")
    if not breaks:
        return start.line, start.column + len(passed)
    return start.line + breaks, len(passed) - passed.rfind("\n")
