"""Tasks with edges: what a plan is, once it is a program.

A failed task keeps all that need it from starting; what does not need it goes on to its end.
"""

from __future__ import annotations

from collections.abc import Callable

from dirigent.core.frame import Frame, GraphState
from dirigent.core.machine import Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model.fault import Fault
from dirigent.model.program import Graph
from dirigent.model.resource import assemble
from dirigent.model.run.views import Views
from dirigent.model.values import Value


def begin(run: Run, frame: Frame) -> None:
    """Count what every task waits for, then start those that wait for nothing."""
    node = frame.node
    if not isinstance(node, Graph):
        raise TypeError(frame.position)
    blockers = {task.name: len(node.needs.get(task.name, ())) for task in node.tasks}
    dependents: dict[str, list[str]] = {task.name: [] for task in node.tasks}
    for name in blockers:
        for need in node.needs.get(name, ()):
            dependents[need].append(name)
    ready = [name for name, count in blockers.items() if count == 0]
    frame.state = GraphState(
        blockers, dependents, ready, numbers={t.name: i for i, t in enumerate(node.tasks)}
    )
    frame.variables = {**frame.variables, **node.constants}
    frame.lazy = {**(frame.lazy or {}), **binding(frame)}
    _start(run, frame)


def binding(frame: Frame) -> dict[str, Callable[[], Value]]:
    """Return the variable that a graph gives its tasks: what the finished ones gave."""
    node, _ = _parts(frame)
    return {node.binds: lambda: _bound(frame)}


def within(frame: Frame, module: str) -> dict[str, Callable[[], Value]]:
    """Return the variables that a graph gives its tasks of a module: its resources and its inputs."""
    node, _ = _parts(frame)
    return {
        node.binds: lambda: _views(frame).resources(module),
        "inputs": lambda: _views(frame).inputs(module),
    }


def _views(frame: Frame) -> Views:
    node, state = _parts(frame)
    if state.views is None:
        state.views = Views(node.scopes, {**node.initial, **state.outputs})
    return state.views


def _bound(frame: Frame) -> Value:
    """Return what the finished tasks gave, put together anew only after another one finished."""
    node, state = _parts(frame)
    if node.scopes:
        return _views(frame).resources("")
    if state.assembled is None:
        state.assembled = assemble({**node.initial, **state.outputs})
    return state.assembled


def _start(run: Run, frame: Frame) -> None:
    node, state = _parts(frame)
    while state.ready and len(frame.children) < node.width:
        number = state.numbers[state.ready.pop(0)]
        task = node.tasks[number]
        child = run.enter(frame, task, number, frame.input)
        if task.scope:
            child.variables = {**child.variables, **node.scopes.get(task.scope, {})}
            child.lazy = {**(child.lazy or {}), **within(frame, task.scope)}
    if not frame.children:
        _finish(run, frame, node, state)


def _finish(run: Run, frame: Frame, node: Graph, state: GraphState) -> None:
    """Nothing runs and nothing can start: give what is bound, or the first fault in order."""
    if not state.faults:
        run.complete(frame, _bound(frame))
        return
    first = next(state.faults[task.name] for task in node.tasks if task.name in state.faults)
    run.fail(frame, first)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A task ended well: its dependents wait for one less."""
    node, state = _parts(frame)
    name = node.tasks[int(child.slot)].name
    state.outputs[name], state.assembled = output, None
    if state.views is not None:
        state.views.put(name, output)
    for dependent in state.dependents[name]:
        state.blockers[dependent] -= 1
        if state.blockers[dependent] == 0:
            state.ready.append(dependent)
    _start(run, frame)


def broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """A task failed: what needs it will never start."""
    node, state = _parts(frame)
    state.faults[node.tasks[int(child.slot)].name] = fault
    _start(run, frame)


def _parts(frame: Frame) -> tuple[Graph, GraphState]:
    node, state = frame.node, frame.state
    if not isinstance(node, Graph) or not isinstance(state, GraphState):
        raise TypeError(frame.position)
    return node, state


GRAPH = Behaviour(begin, begin, left, broke)
