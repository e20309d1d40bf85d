"""A task is a shell (condition, borders, time-out, directive) round one kind of work and its extensions.

An extension is lowered anew for every task that it extends, in a scope of its own. Its own tasks are
not extended: one that extends `all` would have no end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dirigent.lang.tree import Member, Members, Node, plain
from dirigent.lang.workflow import dataflow
from dirigent.lang.workflow.directives import directive, names_of, warn_of_unreached
from dirigent.lang.workflow.expressions import condition, template
from dirigent.lang.workflow.reading import (
    TASK_INPUT,
    Reading,
    Scope,
    complain,
    member_of,
    steps_of,
    text_of,
    whole_of,
)
from dirigent.model import limits
from dirigent.model.program import Call, Case, Extended, Extension, InQueue, Sequence, Set, Switch, Task
from dirigent.model.program import Node as Work
from dirigent.model.values import Expression, Template

# Stands for work that was refused: the program that holds it is never returned.
NO_WORK: Final = Set(None)

# How the kinds of task are named that an extension names otherwise.
_COMPOSITE: Final = {"do": "composite", "fork": "composite"}


def sequence(reading: Reading, node: Node | None, scope: Scope) -> Sequence:
    """Return the tasks of a list; `scope.pointer` is that of the list."""
    steps = steps_of(node)
    inner = scope.among(names_of(reading, [member for _, member in steps]))
    tasks = tuple(task(reading, member, inner.at(index, member.key)) for index, member in steps)
    warn_of_unreached(reading, tasks)
    return Sequence(tasks)


def branches(reading: Reading, node: Node | None, scope: Scope) -> tuple[Task, ...]:
    """Return tasks that run side by side: none of them can name another in a directive."""
    steps = steps_of(node)
    names_of(reading, [member for _, member in steps])
    inner = scope.among(())
    return tuple(task(reading, member, inner.at(index, member.key)) for index, member in steps)


def task(reading: Reading, member: Member, scope: Scope) -> Task:
    """Return one task; `scope.pointer` is the task's own."""
    reading.tasks += 1
    scope = scope.deeper()
    node = member.node
    then = directive(reading, member_of(node, "then"), scope)
    kind, work = _work(reading, node, scope)
    return Task(
        name=member.key,
        pointer=scope.pointer,
        node=_extended(reading, kind, _queued(reading, node, work, scope), then, scope),
        condition=condition(reading, member_of(node, "if"), scope.given(TASK_INPUT)),
        input=dataflow.input_filter(reading, node, scope),
        output=dataflow.output_filter(reading, node, scope),
        export=dataflow.export_filter(reading, node, scope),
        timeout_seconds=dataflow.timeout(reading, node, scope),
        then=then,
        definition=plain(node),
        span=member.key_span,
    )


def _queued(reading: Reading, node: Node, work: Work, scope: Scope) -> Work:
    """Let a call wait in the queue that `metadata.queue` names, by name or as a map; else report (E1922)."""
    written = member_of(node, "metadata", "queue")
    if written is None:
        return work
    name = text_of(written) or text_of(member_of(written, "name"))
    priority = whole_of(member_of(written, "priority"))
    unknown = written.members.keys() - {"name", "priority", "key"} if isinstance(written, Members) else ()
    if name is None or unknown or not isinstance(work, Call):
        message = "`metadata.queue` does not say where a call waits"
        complain(
            reading,
            "E1922",
            message if isinstance(work, Call) else "only a call can wait in a queue, and this task is none",
            written.span,
            "write `queue: NAME`, or `queue: {name: NAME, priority: 5, key: ${ .customer }}`",
        )
        return work
    key = member_of(written, "key")
    keyed: Template = template(reading, key, scope) if key is not None else ""
    return replace(work, waits=InQueue(name, priority or 0, keyed))


def _work(reading: Reading, node: Node, scope: Scope) -> tuple[str, Work]:
    if not isinstance(node, Members):
        return "", NO_WORK
    for kind, lower in reading.kinds.items():
        if kind in node.members:
            return kind, lower(reading, node, scope)
    return "", NO_WORK


def _extended(reading: Reading, kind: str, work: Work, then: str, scope: Scope) -> Work:
    """Return a work with the extensions of its kind round it; `then` is the directive of its task."""
    if scope.bare:
        return work
    wanted = {_COMPOSITE.get(kind, kind), "all"}
    found = [member for member in reading.uses.extensions if _extends(member) in wanted]
    if not found or _too_many(reading, found[0]):
        return work
    if isinstance(work, Switch) and all(case.when is not None for case in work.cases):
        # A part of a task has no directive of its own to fall back upon.
        work = Switch((*work.cases, Case("", then)))
    return Extended(work, tuple(extension(reading, member, scope) for member in found))


def extension(reading: Reading, member: Member, scope: Scope) -> Extension:
    """Return one extension; its expressions see no variables of the task that it extends."""
    inner = Scope(pointer=scope.pointer, depth=scope.depth, bare=True).at("extensions", member.key)
    when = condition(reading, member_of(member.node, "when"), inner)
    if when is not None:
        # Conditions meet tasks of every form: one that cannot be computed for a task does not hold for it.
        when = Expression(f"try ({when.text}) catch false", when.span)
    return Extension(
        name=member.key,
        when=when,
        before=_block(reading, member_of(member.node, "before"), inner.at("before")),
        after=_block(reading, member_of(member.node, "after"), inner.at("after")),
    )


def _block(reading: Reading, node: Node | None, scope: Scope) -> Sequence | None:
    return None if node is None else sequence(reading, node, scope)


def _extends(member: Member) -> str | None:
    return text_of(member_of(member.node, "extend"))


def _too_many(reading: Reading, member: Member) -> bool:
    if reading.tasks <= limits.GRAPH_TASKS:
        return False
    complain(
        reading,
        "E1942",
        f"with the tasks of `{member.key}` round so many others a workflow has more than "
        f"{limits.GRAPH_TASKS} tasks",
        member.key_span,
        "extend one kind of task, or let the extension call a workflow of its own",
    )
    return True
