"""What is wrong, where, and what to do about it: one object for text, JSON and editors.

Codes are never reused: E1xxx document, E2xxx plan, E3xxx provider, E4xxx run, E5xxx store,
E6xxx permission, E7xxx usage, Wxxxx warning. Every code has a page in `docs/problems`.
"""

from __future__ import annotations

from collections.abc import Iterable

from dirigent.model.record import dataclass
from dirigent.model.source import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A second place, and what it has to do with the problem."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `message` names the offending value in backticks.

    `label` stands under the marked text, `others` mark further places, `help` lists next steps.
    """

    code: str
    message: str
    at: Span | None = None
    label: str = ""
    others: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """Return `warning` for a code that begins with W, else `error`."""
        return "warning" if self.code.startswith("W") else "error"

    def __str__(self) -> str:
        """Return one line, for logs."""
        place = f" at {self.at}" if self.at else ""
        return f"{self.severity}[{self.code}]: {self.message}{place}"


class Refusal(Exception):
    """Raised with every problem found, when a request cannot be honoured as it stands."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems, sorted by place."""
        self.problems = ordered(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def refuse(code: str, message: str, *help_lines: str, at: Span | None = None) -> Refusal:
    """Return a refusal with one problem, ready to be raised."""
    return Refusal([Problem(code, message, at=at, help=help_lines)])


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems by file and position; those without a place come last."""
    return tuple(
        sorted(
            problems,
            key=lambda p: (p.at is None, (p.at.file, p.at.line, p.at.column) if p.at else ("", 0, 0), p.code),
        )
    )
