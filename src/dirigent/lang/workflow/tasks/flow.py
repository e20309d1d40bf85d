"""The kinds of work that only direct: `do`, `for`, `fork`, `switch`, `set`, `wait`."""

from __future__ import annotations

from dirigent.lang.tree import Items, Member, Members, Node
from dirigent.lang.workflow.dataflow import duration
from dirigent.lang.workflow.directives import directive, names_of
from dirigent.lang.workflow.expressions import check_variable, computed, condition, template
from dirigent.lang.workflow.reading import (
    Reading,
    Scope,
    complain,
    complain_beside,
    flag_of,
    member_of,
    of_patch,
    steps_of,
    text_of,
)
from dirigent.lang.workflow.tasks.task import branches, sequence
from dirigent.lang.workflow.words import NEWEST_PATCH
from dirigent.model.problem import Label, Problem
from dirigent.model.program import Case, Fork, Loop, Sequence, Set, Switch, Wait
from dirigent.model.values import Template


def lower_do(reading: Reading, task: Members, scope: Scope) -> Sequence:
    """Lower `do`."""
    return sequence(reading, task.get("do"), scope.at("do"))


def lower_for(reading: Reading, task: Members, scope: Scope) -> Loop:
    """Lower `for`; the items may also be written out as a list."""
    loop = task.get("for")
    each = text_of(member_of(loop, "each")) or "item"
    at = text_of(member_of(loop, "at")) or "index"
    for key in ("each", "at"):
        check_variable(reading, member_of(loop, key))
    if each == at:
        complain(
            reading,
            "E1312",
            f"`each` and `at` are both `{each}`",
            task.members["for"].key_span,
            "give the item and its index two names",
        )
    inside = scope.seeing(each, at)
    return Loop(
        each=each,
        at=at,
        items=_items(reading, member_of(loop, "in"), scope),
        body=sequence(reading, task.get("do"), inside.at("do")),
        condition=condition(reading, task.get("while"), inside),
    )


def lower_fork(reading: Reading, task: Members, scope: Scope) -> Fork:
    """Lower `fork`."""
    fork = task.get("fork")
    side_by_side = branches(reading, member_of(fork, "branches"), scope.at("fork", "branches"))
    return Fork(side_by_side, compete=flag_of(member_of(fork, "compete"), default=False))


def lower_switch(reading: Reading, task: Members, scope: Scope) -> Switch:
    """Lower `switch`. The default comes last, wherever it is written: it is what is left."""
    members = [member for _, member in steps_of(task.get("switch"))]
    names_of(reading, members, "case")
    _one_default(reading, members)
    cases = [
        Case(
            name=member.key,
            then=directive(reading, member_of(member.node, "then"), scope),
            when=condition(reading, member_of(member.node, "when"), scope),
        )
        for member in members
    ]
    return Switch(tuple(sorted(cases, key=lambda case: case.when is None)))


def _one_default(reading: Reading, members: list[Member]) -> None:
    defaults = [
        member for member in members if isinstance(member.node, Members) and "when" not in member.node.members
    ]
    for second in defaults[1:]:
        complain_beside(
            reading,
            Problem(
                "E1307",
                f"`{second.key}` is a second default: a case without `when` is taken if no other holds",
                at=second.key_span,
                label="no `when` here",
                help=("give one of them a `when`",),
            ),
            Label(defaults[0].key_span, "no `when` here either"),
        )


def _items(reading: Reading, node: Node | None, scope: Scope) -> Template:
    if isinstance(node, Items):
        of_patch(reading, "a list written out in `for.in`", node.span, since=NEWEST_PATCH)
        return template(reading, node, scope)
    return computed(reading, node, scope)


def lower_set(reading: Reading, task: Members, scope: Scope) -> Set:
    """Lower `set`."""
    return Set(template(reading, task.get("set"), scope))


def lower_wait(reading: Reading, task: Members, scope: Scope) -> Wait:
    """Lower `wait`."""
    return Wait(duration(reading, task.get("wait"), scope))
