"""What the reading of a test file carries along, and the small parts that stand in many places."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from dirigent.lang.shape import inner_expression, shortened
from dirigent.lang.tree import Items, Leaf, Members, Node, plain
from dirigent.model.duration import seconds_of
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Expression
from dirigent.ports import ExpressionFailed, Language


@dataclass(slots=True)
class Reading:
    """One test file being read. `tasks` are the tasks that it names, with the first place of each."""

    file: str
    language: Language
    problems: list[Problem]
    tasks: dict[str, Span] = field(default_factory=dict)

    def complain(self, code: str, message: str, at: Span, label: str, *help_lines: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(code, message, at, label, help=help_lines))

    def task(self, name: str, at: Span) -> str:
        """Note that a task is named, and return its name."""
        self.tasks.setdefault(name, at)
        return name


def text_of(node: Node | None) -> str:
    """Return the text of a node, empty where there is none."""
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else ""


def whole_of(node: Node | None) -> int | None:
    """Return the whole number of a node, or None."""
    value = node.value if isinstance(node, Leaf) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def items_of(node: Node | None) -> list[Members]:
    """Return the mappings of a list."""
    return [each for each in all_of(node) if isinstance(each, Members)]


def all_of(node: Node | None) -> tuple[Node, ...]:
    """Return the elements of a list, none where there is none."""
    return node.items if isinstance(node, Items) else ()


def seconds(reading: Reading, node: Node) -> float:
    """Return a length of time, or report that it is none (E7071)."""
    try:
        return seconds_of(plain(node))
    except ValueError as why:
        at = next(iter(node)).key_span if isinstance(node, Members) and node.members else node.span
        reading.complain("E7071", f"this is no length of time: {why}", at, "not a duration")
        return 0.0


def moment(reading: Reading, node: Node, otherwise: float) -> float:
    """Return a time with its zone in seconds since the epoch, or report that it is none (E7071)."""
    text = text_of(node)
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.timestamp()
    except (ValueError, OverflowError):
        pass
    reading.complain(
        "E7071",
        f"`{shortened(text)}` is no time of a run",
        node.span,
        "not a time with its zone",
        "write it as `2026-03-29T00:30:00Z`",
    )
    return otherwise


def expression(reading: Reading, node: Node) -> Expression:
    """Return an expression, with or without its braces, or report why it cannot be read (E7072)."""
    text = text_of(node)
    inner = inner_expression(text)
    text = (text if inner is None else inner).strip()
    try:
        unknown = reading.language.compile(text).variables
    except ExpressionFailed as why:
        reading.complain("E7072", f"`{shortened(text)}` is no expression: {why}", node.span, "not readable")
    else:
        for name in sorted(unknown):
            reading.complain(
                "E7072",
                f"`${name}` has no value in a test file",
                node.span,
                "unknown variable",
                "begin with a dot: `.output`, `.error`, `.requests`, or the members of a request",
            )
    return Expression(text, node.span)
