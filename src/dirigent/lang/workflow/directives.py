"""Where a task goes next: names in one list of tasks, the directives that use them, tasks never reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.tree import Leaf, Member, Node
from dirigent.lang.workflow.reading import Reading, Scope, complain, complain_beside
from dirigent.model.problem import Label, Problem
from dirigent.model.program import CONTINUE, END, EXIT, Extended, Raise, Switch, Task, Try

_WORDS = (CONTINUE, EXIT, END)


def names_of(reading: Reading, members: Sequence[Member], thing: str = "task") -> tuple[str, ...]:
    """Return the names in a list, and report each that stands there twice (E1305)."""
    first: dict[str, Member] = {}
    for member in members:
        earlier = first.setdefault(member.key, member)
        if earlier is member:
            continue
        complain_beside(
            reading,
            Problem(
                "E1305",
                f"`{shortened(member.key)}` is the name of two {thing}s of one list",
                at=member.key_span,
                label="the second",
                help=("rename one of them: directives could not tell them apart",),
            ),
            Label(earlier.key_span, "the first"),
        )
    return tuple(first)


def directive(reading: Reading, node: Node | None, scope: Scope) -> str:
    """Return a directive; one that names no task of the same list is reported (E1304)."""
    if not isinstance(node, Leaf) or not isinstance(node.value, str):
        return CONTINUE
    target = node.value
    if target in _WORDS or target in scope.names:
        return target
    known = (*scope.names, *_WORDS)
    meant = nearest(target, known)
    complain(
        reading,
        "E1304",
        f"`then: {shortened(target)}` names no task of this list",
        node.span,
        f"change it to `{meant}`" if meant else "name a task of the same list",
        "known here: " + ", ".join(known),
        label=f"did you mean `{meant}`?" if meant else "no such task here",
    )
    return CONTINUE


def warn_of_unreached(reading: Reading, tasks: tuple[Task, ...]) -> None:
    """Report every task of a list to which no directive leads (W1302); what follows it is not repeated."""
    index = {task.name: number for number, task in reversed(list(enumerate(tasks)))}
    reached: set[int] = set()
    _flood(tasks, index, 0, reached)
    for number, task in enumerate(tasks):
        if number in reached:
            continue
        complain(
            reading,
            "W1302",
            f"`{shortened(task.name)}` is never reached: every task before it goes elsewhere",
            task.span,
            f"lead to it with `then: {shortened(task.name)}`, or remove it",
            label="no directive leads here",
        )
        _flood(tasks, index, number, reached)


def _flood(tasks: tuple[Task, ...], index: dict[str, int], start: int, reached: set[int]) -> None:
    pending = [start]
    while pending:
        number = pending.pop()
        if number in reached or number >= len(tasks):
            continue
        reached.add(number)
        for then in _leaving(tasks[number]):
            if then == CONTINUE:
                pending.append(number + 1)
            elif then in index:
                pending.append(index[then])


def _leaving(task: Task) -> Iterator[str]:
    """Yield the directives with which a task may end. A skipped task goes on with the next one."""
    node = task.node
    if isinstance(node, Extended):
        # What comes before a work can stand for it.
        yield task.then
        node = node.work
    if task.condition is not None:
        yield CONTINUE
    if isinstance(node, Switch):
        yield from (case.then for case in node.cases)
        if all(case.when is not None for case in node.cases):
            yield task.then
        return
    if isinstance(node, Raise):
        return
    if isinstance(node, Try) and node.catch.then != CONTINUE:
        yield node.catch.then
    yield task.then
