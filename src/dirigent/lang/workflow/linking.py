"""Functions and schemas that lie elsewhere are put in their places: texts come as an argument, by URI.

A function is read like a document of its own: it sees no names and no secrets of its caller, and what it
calls in turn lies in the default catalog or at a URI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dirigent.lang import shape
from dirigent.lang.schema import schema_fault
from dirigent.lang.source import load
from dirigent.lang.tree import Member, Members, Node, plain
from dirigent.lang.workflow import shapes
from dirigent.lang.workflow.reading import Reading, Scope, Uses
from dirigent.lang.workflow.shapes.atoms import TASK
from dirigent.lang.workflow.tasks.kinds import KINDS
from dirigent.lang.workflow.tasks.task import NO_WORK, task
from dirigent.model import limits
from dirigent.model.problem import Problem, Refusal, ordered
from dirigent.model.program import ELSEWHERE, Call, Filter, Program, Task, tasks_of, with_tasks
from dirigent.model.source import Span
from dirigent.model.values import Template
from dirigent.ports import Language

_NOTHING: Final = Uses({}, {}, {}, {}, {}, ())
_REMEDY: Final = "look at it with the tool of your choice; the document names it in full"


def sources_of(program: Program) -> dict[str, Template]:
    """Return the authentications of everything that lies elsewhere, by URI, in the order of the document."""
    found: dict[str, Template] = {}
    for each in tasks_of(program.root):
        places = [border.source for border in (each.input, each.output, each.export)]
        if isinstance(each.node, Call) and each.node.function == ELSEWHERE:
            places.append(_member(each.node.request, "source"))
        for place in places:
            uri = _member(place, "endpoint")
            if isinstance(uri, str):
                found.setdefault(uri, _member(place, "authentication"))
    return found


def linked(program: Program, texts: Mapping[str, str], language: Language) -> Program:
    """Return a program with what `texts` hold in its place. Raises `Refusal` with every problem of the texts.

    What a function calls in turn may be elsewhere still: the result says so, as any program does.
    """
    linking = _Linking(texts, language)
    root = linking.task(program.root)
    if linking.problems:
        raise Refusal(list(ordered(dict.fromkeys(linking.problems))))
    return replace(
        program,
        root=root,
        hosts=tuple(dict.fromkeys([*program.hosts, *linking.hosts])),
        sources={**program.sources, **linking.used},
        elsewhere=tuple(linking.wanted),
    )


class _Linking:
    """One pass over one program."""

    def __init__(self, texts: Mapping[str, str], language: Language) -> None:
        self._texts = texts
        self._language = language
        self.problems: list[Problem] = []
        self.hosts: dict[str, None] = {}
        self.used: dict[str, str] = {}
        self.wanted: dict[str, None] = {}
        self._tasks = 0

    def task(self, given: Task) -> Task:
        """Return a task with all that is in it put in place."""
        found = replace(
            given,
            input=self._border(given.input, given.span),
            output=self._border(given.output, given.span),
            export=self._border(given.export, given.span),
        )
        if isinstance(given.node, Call) and given.node.function == ELSEWHERE:
            return self._function(found, given.node)
        return replace(found, node=with_tasks(given.node, self.task))

    def _border(self, border: Filter, span: Span | None) -> Filter:
        uri = _member(border.source, "endpoint")
        if not isinstance(uri, str):
            return border
        node = self._node(uri)
        if node is None:
            return border
        schema = plain(node)
        fault = schema_fault(schema)
        if fault is not None:
            self._complain("E1945", f"what lies at `{uri}` is not a JSON Schema: {fault}", span)
            return border
        return replace(border, schema=schema, source=None)

    def _function(self, stand_in: Task, call: Call) -> Task:
        uri = _member(_member(call.request, "source"), "endpoint")
        node = self._node(uri) if isinstance(uri, str) else None
        if node is None or not isinstance(uri, str):
            return stand_in
        chain = _texts(_member(call.request, "calls"))
        depth = _member(call.request, "depth")
        scope = Scope(
            pointer=stand_in.pointer,
            calls=(*chain, stand_in.name),
            depth=depth if isinstance(depth, int) else 0,
            bare=True,
        )
        if stand_in.name in chain or len(chain) >= limits.RUN_DEPTH or scope.depth >= limits.TASK_DEPTH:
            self._complain("E1311", f"`{stand_in.name}` calls itself, or stands too deep", stand_in.span)
            return stand_in
        reading = Reading(uri, self._texts[uri].splitlines(), self._language, _NOTHING, KINDS, self.problems)
        reading.tasks = self._tasks
        if not isinstance(node, Members):
            self._complain("E1945", f"what lies at `{uri}` is not a function", stand_in.span)
            return stand_in
        shape.check(node, TASK, self.problems, definitions=shapes.DEFINITIONS)
        body = task(reading, Member(stand_in.name, node.span, node), scope)
        self._tasks = reading.tasks
        if body.node is NO_WORK and not self.problems:
            self._complain("E1945", f"what lies at `{uri}` is not a function that can be run", stand_in.span)
        self.hosts.update(reading.hosts)
        self.wanted.update(reading.elsewhere)
        if self._tasks > limits.GRAPH_TASKS:
            self._complain(
                "E1311", f"`{stand_in.name}` makes more than {limits.GRAPH_TASKS} tasks", stand_in.span
            )
        return body

    def _node(self, uri: str) -> Node | None:
        """Return what lies at a URI, None where it is not at hand or cannot be read."""
        text = self._texts.get(uri)
        if text is None:
            self.wanted.setdefault(uri)
            return None
        self.used[uri] = text
        node, problems = load(text, uri)
        self.problems.extend(problem for problem in problems if problem.severity == "error")
        return node

    def _complain(self, code: str, message: str, span: Span | None) -> None:
        self.problems.append(Problem(code, message, at=span, help=(_REMEDY,)))


def _member(given: Template, name: str) -> Template:
    return given.get(name) if isinstance(given, dict) else None


def _texts(given: Template) -> tuple[str, ...]:
    return tuple(each for each in given if isinstance(each, str)) if isinstance(given, list) else ()
