"""How a command answers when it cannot do what it was asked: as text or JSON, and with which exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from dirigent.cli.exits import exit_of
from dirigent.cli.given import Options
from dirigent.cli.output import note, say_json
from dirigent.cli.text.frame import problems_text
from dirigent.cli.text.terminal import err
from dirigent.model.problem import Problem, Refusal
from dirigent.model.source import Span

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def answered(work: Callable[[Options], int], given: Mapping[str, object]) -> int:
    """Do the work of a command; show a refusal, and return the exit code of its first error."""
    options = Options(given)
    try:
        return work(options)
    except Refusal as refusal:
        return refused(refusal.problems, as_json=options.as_json)


def refused(problems: tuple[Problem, ...], *, as_json: bool) -> int:
    """Show problems as the answer of a command."""
    if as_json:
        say_json({"problems": [problem_json(each) for each in problems]})
    else:
        complain(problems)
    return exit_of(problems)


def complain(problems: Sequence[Problem]) -> None:
    """Write problems to standard error, with the lines that they are about."""
    note(problems_text(problems, _sources(problems), err()))


def problem_json(found: Problem) -> Json:
    """Return a problem for programs: the same object that text and editors show."""
    return {
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "at": span_json(found.at),
        "label": found.label,
        "others": [{"at": span_json(label.span), "text": label.text} for label in found.others],
        "help": list(found.help),
    }


def span_json(at: Span | None) -> Json:
    """Return a place, or None."""
    if at is None:
        return None
    return {
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "endLine": at.end_line,
        "endColumn": at.end_column,
    }


def _sources(problems: Sequence[Problem]) -> Mapping[str, str]:
    """Return the text of the files that problems point into, as far as they can be read."""
    sources: dict[str, str] = {}
    for span in [p.at for p in problems if p.at] + [label.span for p in problems for label in p.others]:
        if span.file not in sources and Path(span.file).is_file():
            sources[span.file] = Path(span.file).read_text(encoding="utf-8", errors="replace")
    return sources
