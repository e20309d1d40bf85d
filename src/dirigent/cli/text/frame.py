"""Problems as text: code, sentence, place, the lines themselves with marks under them, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dirigent.cli.text.mask import masked
from dirigent.cli.text.terminal import Terminal, columns, shown
from dirigent.model import limits
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span

TAB = "    "


@dataclass(frozen=True, slots=True)
class _Mark:
    span: Span
    text: str
    primary: bool


def problems_text(problems: Iterable[Problem], sources: Mapping[str, str], terminal: Terminal) -> str:
    """Return all problems, sorted by place; beyond `limits.PROBLEMS_SHOWN` only their number."""
    found = list(problems)
    parts = [problem_text(problem, sources, terminal) for problem in found[: limits.PROBLEMS_SHOWN]]
    hidden = len(found) - len(parts)
    if hidden:
        parts.append(f"and {hidden} more; mend these first, or see all with `--json`")
    return "\n\n".join(parts)


def problem_text(problem: Problem, sources: Mapping[str, str], terminal: Terminal) -> str:
    """Return one problem with its frame, where the text of its file is at hand."""
    tint = "yellow" if problem.severity == "warning" else "red"
    head = terminal.paint(f"{problem.severity}[{problem.code}]", tint, "bold")
    lines = [f"{head}: {terminal.paint(shown(problem.message), 'bold')}"]
    if problem.at is not None:
        text = sources.get(problem.at.file)
        if text is None:
            lines.append(f"  --> {problem.at}")
        else:
            lines.extend(_frame(problem, masked(text).splitlines(), tint, terminal))
    lines.extend(f"  = help: {shown(line)}" for line in problem.help)
    return "\n".join(lines)


def _frame(problem: Problem, text: list[str], tint: str, terminal: Terminal) -> list[str]:
    at = problem.at
    if at is None:
        return []
    marks = [_Mark(at, problem.label, primary=True)]
    marks += [
        _Mark(label.span, label.text, primary=False) for label in problem.others if label.span.file == at.file
    ]
    numbers = _lines_shown(marks, len(text))
    gutter = len(str(numbers[-1])) if numbers else 1
    bar = terminal.paint(f"{' ' * gutter} |", "blue")
    arrow = terminal.paint(" " * gutter + "-->", "blue")
    lines = [f"{arrow} {at}", bar]
    previous = 0
    for number in numbers:
        if previous and number > previous + 1:
            lines.append(terminal.paint("...", "blue"))
        previous = number
        content = text[number - 1] if number <= len(text) else ""
        numbered = terminal.paint(f"{number:>{gutter}} |", "blue")
        lines.append(f"{numbered} {_flat(content)}".rstrip())
        lines.extend(_under(mark, content, bar, tint, terminal) for mark in marks if mark.span.line == number)
    lines.append(bar)
    lines.extend(
        f"  = note: {label.span}: {label.text}" for label in problem.others if label.span.file != at.file
    )
    return lines


def _lines_shown(marks: list[_Mark], length: int) -> list[int]:
    """Return the numbers of the lines to show: the marked ones, and one round the first."""
    wanted: set[int] = set()
    for mark in marks:
        around = 1 if mark.primary else 0
        wanted.update(range(mark.span.line - around, mark.span.line + around + 1))
    return sorted(number for number in wanted if 1 <= number <= max(length, 1))


def _under(mark: _Mark, content: str, bar: str, tint: str, terminal: Terminal) -> str:
    """Return the line of carets below the marked text."""
    last = mark.span.end_column if mark.span.end_line == mark.span.line else len(content) + 1
    before = _flat(content[: mark.span.column - 1])
    marked = _flat(content[mark.span.column - 1 : last - 1])
    sign = "^" if mark.primary else "-"
    line = sign * max(1, columns(marked)) + (f" {mark.text}" if mark.text else "")
    return f"{bar} {' ' * columns(before)}{terminal.paint(line, tint if mark.primary else 'blue')}"


def _flat(text: str) -> str:
    return shown(text).replace("\t", TAB)
