"""What the reading of one stack carries along. Problems are collected; nothing is raised.

The structure is not trusted here: the shapes have reported what does not fit, and it is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TypeAlias

from dirigent.lang.stack.outside.offers import Offers, TypeShape, nothing_known
from dirigent.lang.tree import Leaf, Members, Node
from dirigent.model.problem import Label, Problem
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.stack import Stack
from dirigent.ports import Language, Schemas

WorkflowReader: TypeAlias = Callable[[Node, str, str], tuple[Program | None, list[Problem]]]


@dataclass(frozen=True, slots=True)
class Link:
    """A file that is being read: its whole path, the path that is shown, and where another one uses it."""

    name: str
    shown: str
    at: Span | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """A module that a stack uses, None where it cannot be read; `repeated` by `count` or `each`."""

    stack: Stack | None
    repeated: bool


@dataclass(frozen=True, slots=True)
class StackContext:
    """What a stack is read against; the composition root knows it.

    `read_file` returns the text of a file, None where there is none that can be read. `read_workflow`
    gets a node, the name of its file and the whole text of that file. `offers` tells of providers.
    `chain` are the files that are being read, each used by the one before it, and `known` the modules that
    were read, by whole path.
    """

    types: Mapping[str, TypeShape]
    language: Language
    schemas: Schemas
    read_file: Callable[[str], str | None]
    read_workflow: WorkflowReader
    offers: Offers = nothing_known
    chain: tuple[Link, ...] = ()
    known: dict[str, Stack | None] = field(default_factory=dict)

    def within(self, link: Link) -> StackContext:
        """Return the context of a file that another one uses."""
        return replace(self, chain=(*self.chain, link))


@dataclass(slots=True)
class Reading:
    """One stack being read. The names are those that the file declares, each with its place."""

    file: str
    folder: str
    text: str
    context: StackContext
    problems: list[Problem] = field(default_factory=list)
    inputs: dict[str, Span] = field(default_factory=dict)
    secrets: dict[str, Span] = field(default_factory=dict)
    resources: dict[str, Span] = field(default_factory=dict)
    providers: dict[str, Span] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    modules: dict[str, Used] = field(default_factory=dict)

    def report(self, problem: Problem) -> None:
        """Note a problem."""
        self.problems.append(problem)

    def complain(self, code: str, message: str, at: Span, label: str, *help_lines: str) -> None:
        """Note a problem with one place."""
        self.problems.append(Problem(code, message, at, label, help=help_lines))

    def complain_beside(self, problem: Problem, others: tuple[Label, ...]) -> None:
        """Note a problem with further places."""
        self.problems.append(
            Problem(problem.code, problem.message, problem.at, problem.label, others, problem.help)
        )


def section(root: Node, name: str) -> Members | None:
    """Return a section that is a mapping; None where it is absent or something else."""
    return mapping_of(root.get(name)) if isinstance(root, Members) else None


def mapping_of(node: Node | None) -> Members | None:
    """Return the node if it is a mapping."""
    return node if isinstance(node, Members) else None


def text_of(node: Node | None) -> str | None:
    """Return the text of a node, or None when it is none."""
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else None


def keys_of(node: Members | None) -> dict[str, Span]:
    """Return the keys of a mapping with their places."""
    return {member.key: member.key_span for member in node} if node is not None else {}
