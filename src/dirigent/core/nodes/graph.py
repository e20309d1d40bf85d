"""Tasks with edges: what a plan is, once it is a program.

A failed task keeps all that need it from starting; what does not need it goes on to its end, unless the graph
is to turn back then: what was begun is taken back, each task before what it needed. What could not be taken
back stands, and so does all that it needs; the fault is the first there was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dirigent.core.frame import Frame, GraphState
from dirigent.core.machine import Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model.fault import Fault
from dirigent.model.program import Call, Graph, Task
from dirigent.model.run.views import Views
from dirigent.model.values import Value

BACK: Final = "back:"
_SHOWN: Final = 5


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
    return {node.binds: lambda: _views(frame).resources("")}


def within(frame: Frame, task: Task) -> dict[str, Callable[[], Value]]:
    """Return the variables that a graph gives one task beside those of all: its module's, and `$self`."""
    node, state = _parts(frame)
    found: dict[str, Callable[[], Value]] = {}
    if task.scope:
        found[node.binds] = lambda: _views(frame).resources(task.scope)
        found["inputs"] = lambda: _views(frame).inputs(task.scope)
    if task.of:
        found["self"] = lambda: state.outputs.get(task.of, node.initial.get(task.of))
    return found


def _views(frame: Frame) -> Views:
    node, state = _parts(frame)
    if state.views is None:
        state.views = Views(node.scopes, {**node.initial, **state.outputs})
    return state.views


def _start(run: Run, frame: Frame) -> None:
    node, state = _parts(frame)
    while len(frame.children) < node.width and (name := _next(node, state)):
        number = state.numbers[name]
        if node.undo:
            state.begun.append(name)
        _enter(run, frame, node.tasks[number], number)
    if frame.children:
        return
    if state.faults and node.undo:
        _turn(node, state)
        _go_back(run, frame, node, state)
    else:
        _finish(run, frame, node, state)


def _next(node: Graph, state: GraphState) -> str:
    """Take the first that can start, and its place in its lane; empty when there is none."""
    while state.ready:
        name = state.ready.pop(0)
        lane = node.lanes.get(name)
        if lane is None:
            return name
        if state.busy.get(lane, 0) < node.widths[lane]:
            state.busy[lane] = state.busy.get(lane, 0) + 1
            return name
        state.aside.setdefault(lane, []).append(name)
    return ""


def _give_way(node: Graph, state: GraphState, name: str) -> None:
    """Give the place of a task in its lane back; who has waited longest for it comes next."""
    lane = node.lanes.get(name)
    if lane is None:
        return
    state.busy[lane] -= 1
    if state.aside.get(lane):
        state.ready.insert(0, state.aside[lane].pop(0))


def _enter(run: Run, frame: Frame, task: Task, slot: int | str) -> None:
    """Begin a task, which sees what lies in its module."""
    node, _ = _parts(frame)
    child = run.enter(frame, task, slot, frame.input)
    if task.scope:
        child.variables = {**child.variables, **node.scopes.get(task.scope, {})}
    if task.scope or task.of:
        child.lazy = {**(child.lazy or {}), **within(frame, task)}


def _finish(run: Run, frame: Frame, node: Graph, state: GraphState) -> None:
    """Nothing runs and nothing can start: give what is bound, or the first fault in order."""
    if not state.faults:
        run.complete(frame, _views(frame).whole())
        return
    first = next(state.faults[task.name] for task in node.tasks if task.name in state.faults)
    run.fail(frame, first)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A task ended well: its dependents wait for one less."""
    node, state = _parts(frame)
    if state.turned:
        _give_way(node, state, _name_of(str(child.slot)))
        _undone(node, state, str(child.slot))
        _go_back(run, frame, node, state)
        return
    name = node.tasks[int(child.slot)].name
    _give_way(node, state, name)
    state.outputs[name] = output
    if state.views is not None:
        state.views.put(name, output)
    for dependent in state.dependents[name]:
        state.blockers[dependent] -= 1
        if state.blockers[dependent] == 0 and not (state.faults and node.undo):
            state.ready.append(dependent)
    _start(run, frame)


def broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """A task failed: what needs it will never start."""
    node, state = _parts(frame)
    if state.turned:
        _give_way(node, state, _name_of(str(child.slot)))
        state.standing.append(_name_of(str(child.slot)))
        _go_back(run, frame, node, state)
        return
    name = node.tasks[int(child.slot)].name
    state.faults[name] = fault
    _give_way(node, state, name)
    if node.undo:
        state.ready.clear()
        state.aside.clear()
    _start(run, frame)


def _turn(node: Graph, state: GraphState) -> None:
    """Turn round: count for everything that was begun what still stands on it."""
    state.turned = True
    begun = dict.fromkeys(state.begun)
    state.blockers = {name: sum(each in begun for each in state.dependents[name]) for name in begun}
    # The last that was begun goes first, where nothing else decides.
    state.ready = [name for name in reversed(state.begun) if state.blockers[name] == 0]


def _go_back(run: Run, frame: Frame, node: Graph, state: GraphState) -> None:
    """Start what can be taken back now; fail when nothing is left."""
    while len(frame.children) < node.width and (name := _next(node, state)):
        task = node.undo.get(name)
        if task is not None:
            _enter(run, frame, task, f"{BACK}{name}")
            continue
        _give_way(node, state, name)
        if isinstance(node.tasks[state.numbers[name]].node, Call):
            state.standing.append(name)
        else:
            # It only computed something: there is nothing to be taken back.
            _undone(node, state, f"{BACK}{name}")
    if not frame.children:
        run.fail(frame, _turned_fault(node, state))


def _undone(node: Graph, state: GraphState, slot: str) -> None:
    """A task was taken back: what it needed has one less that stands on it."""
    for need in node.needs.get(_name_of(slot), ()):
        state.blockers[need] -= 1
        if state.blockers[need] == 0:
            state.ready.append(need)


def _name_of(slot: str) -> str:
    """Return the name of the task that the child in a slot takes back."""
    return slot.removeprefix(BACK)


def _turned_fault(node: Graph, state: GraphState) -> Fault:
    """Return the first fault in order, with what has become of the rest."""
    first = next(state.faults[task.name] for task in node.tasks if task.name in state.faults)
    left = [name for name in state.begun if name in state.standing or state.blockers[name] > 0]
    names = ", ".join(f"`{name}`" for name in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    words = f"not taken back: {names}{more}" if left else "what had been done was taken back"
    return replace(first, detail=f"{first.detail} ({words})" if first.detail else words)


def _parts(frame: Frame) -> tuple[Graph, GraphState]:
    node, state = frame.node, frame.state
    if not isinstance(node, Graph) or not isinstance(state, GraphState):
        raise TypeError(frame.position)
    return node, state


GRAPH = Behaviour(begin, begin, left, broke)
