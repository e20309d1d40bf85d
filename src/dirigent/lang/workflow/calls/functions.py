"""Calls of functions of the document: the function's task is put in the place of the call."""

from __future__ import annotations

from dirigent.lang.shape import shortened
from dirigent.lang.tree import Leaf, Members
from dirigent.lang.workflow.calls.catalogs import is_elsewhere, lower_elsewhere
from dirigent.lang.workflow.expressions import template
from dirigent.lang.workflow.reading import Reading, Scope, complain, named, text_of
from dirigent.lang.workflow.shapes.calls import CALLS
from dirigent.lang.workflow.tasks.task import NO_WORK, task
from dirigent.model import limits
from dirigent.model.program import Node as Work
from dirigent.model.program import Sequence, Set, Task


def lower_function(reading: Reading, node: Members, scope: Scope) -> Work:
    """Lower the call of a function: its arguments become the input of the function's task."""
    called = node.get("call")
    name = text_of(called)
    if name is None or called is None or not isinstance(called, Leaf):
        return NO_WORK
    body = _body(reading, called, name, scope)
    if body is None:
        return NO_WORK
    arguments = node.get("with")
    if arguments is None:
        return Sequence((body,))
    given = Task("with", scope.at("with").pointer, Set(template(reading, arguments, scope)), span=called.span)
    return Sequence((given, body))


def _body(reading: Reading, called: Leaf, name: str, scope: Scope) -> Task | None:
    """Return the task that a call stands for; a function sees no variables of its caller."""
    inner = Scope(pointer=scope.pointer, calls=(*scope.calls, name), depth=scope.depth, bare=scope.bare)
    if is_elsewhere(name) and name not in reading.uses.functions:
        call = lower_elsewhere(reading, called, name, scope)
        pointer = inner.at("call", name).pointer
        return None if call is None else Task(name, pointer, call, span=called.span)
    definition = named(reading, "functions", called, reading.uses.functions, also=tuple(CALLS))
    if definition is None or _endless(reading, called, name, scope):
        return None
    return task(reading, reading.uses.functions[name], inner.at("call", name))


def _endless(reading: Reading, called: Leaf, name: str, scope: Scope) -> bool:
    if name in scope.calls:
        way = " calls ".join(f"`{each}`" for each in (*scope.calls[scope.calls.index(name) :], name))
        complain(reading, "E1311", f"{way}: a function cannot call itself", called.span, "use a `for` loop")
        return True
    deep = len(scope.calls) >= limits.RUN_DEPTH or scope.depth >= limits.TASK_DEPTH
    if deep or reading.tasks > limits.GRAPH_TASKS:
        complain(
            reading,
            "E1311",
            f"`{shortened(name)}` is one call too many: functions may stand {limits.RUN_DEPTH} deep, tasks "
            f"{limits.TASK_DEPTH} deep, and a workflow may have {limits.GRAPH_TASKS} tasks",
            called.span,
            "run a workflow of its own instead",
        )
        return True
    return False
