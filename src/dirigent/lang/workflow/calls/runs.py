"""`run`: processes and other workflows. A new kind is registered in `RUNS`, its shape in `shapes.runs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.lang.workflow import dataflow
from dirigent.lang.workflow.calls.endpoints import mapping, resource, texts
from dirigent.lang.workflow.expressions import code, template
from dirigent.lang.workflow.reading import Reading, Scope, complain, flag_of, member_of, of_patch, text_of
from dirigent.lang.workflow.tasks.task import NO_WORK
from dirigent.lang.workflow.words import NEWEST_PATCH
from dirigent.model.program import IDENTITY, Call
from dirigent.model.program import Node as Work
from dirigent.model.values import Template

# Arguments were maps in 1.0.0 and 1.0.1, and are lists since (register Q21).
LAST_OF_MAPS: Final = 1

# What a kind of `run` sends to its performer, beside `await` and `return`.
Request: TypeAlias = Callable[[Reading, Node, Scope], dict[str, Template]]


def lower_run(reading: Reading, node: Members, scope: Scope) -> Work:
    """Lower `run`."""
    run = node.get("run")
    for kind, request in RUNS.items():
        written = member_of(run, kind)
        if written is not None:
            return Call(
                kind,
                {
                    **request(reading, written, scope),
                    "await": flag_of(member_of(run, "await"), default=True),
                    "return": text_of(member_of(run, "return")) or "stdout",
                },
            )
    return NO_WORK


def _shell(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    return {"command": code(reading, member_of(node, "command"), scope), **_process(reading, node, scope)}


def _script(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    language = text_of(member_of(node, "language"))
    source = member_of(node, "source")
    given: dict[str, Template] = (
        {"code": code(reading, member_of(node, "code"), scope)}
        if source is None
        else {"source": resource(reading, source, scope)}
    )
    return {
        "language": "js" if language == "javascript" else language,
        **given,
        **_process(reading, node, scope),
    }


def _process(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    return {
        "arguments": _arguments(reading, member_of(node, "arguments"), scope),
        "environment": texts(mapping(reading, member_of(node, "environment"), scope)),
        "stdin": template(reading, member_of(node, "stdin"), scope),
    }


def _arguments(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return argv entries. A map gives each key, followed by its value unless that is null."""
    if isinstance(node, Members | Items):
        map_form = isinstance(node, Members)
        until, since = (LAST_OF_MAPS, 0) if map_form else (NEWEST_PATCH, LAST_OF_MAPS + 1)
        of_patch(
            reading, f"a {'map' if map_form else 'list'} of arguments", node.span, since=since, until=until
        )
    if isinstance(node, Members):
        flat: list[Template] = []
        for member in node:
            value = template(reading, member.node, scope)
            flat += [member.key] if value is None else [member.key, value]
        return texts(flat)
    return texts(template(reading, node, scope)) if isinstance(node, Items | Leaf) else []


def _workflow(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    given = member_of(node, "input")
    return {
        "namespace": text_of(member_of(node, "namespace")),
        "name": text_of(member_of(node, "name")),
        "version": text_of(member_of(node, "version")) or "latest",
        "input": IDENTITY if given is None else template(reading, given, scope),
    }


def _container(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    command, name, lifetime = (member_of(node, each) for each in ("command", "name", "lifetime"))
    return {
        "image": template(reading, member_of(node, "image"), scope),
        "name": None if name is None else template(reading, name, scope),
        "command": None if command is None else code(reading, command, scope),
        "ports": mapping(reading, member_of(node, "ports"), scope),
        "volumes": mapping(reading, member_of(node, "volumes"), scope),
        "lifetime": _lifetime(reading, lifetime, scope),
        "pullPolicy": text_of(member_of(node, "pullPolicy")) or "ifNotPresent",
        **_process(reading, node, scope),
    }


def _lifetime(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return the lifetime of a container; report a time that is missing, or has no meaning (E1982)."""
    after = member_of(node, "after")
    cleanup = text_of(member_of(node, "cleanup")) or "never"
    if node is not None and (after is None) is (cleanup == "eventually"):
        complain(
            reading,
            "E1982",
            f"`after` says when a container is removed `eventually`, and `cleanup` is `{cleanup}`"
            if after is not None
            else "a container that is removed `eventually` needs `after`: how long it stays",
            (after or node).span,
            "write `lifetime: {cleanup: eventually, after: {minutes: 30}}`",
        )
    if isinstance(after, Members) and not after.members:
        dataflow.duration(reading, after, scope)  # It says that this is none.
    return {"cleanup": cleanup, "after": None if after is None else template(reading, after, scope)}


RUNS: Final[Mapping[str, Request]] = {
    "shell": _shell,
    "script": _script,
    "workflow": _workflow,
    "container": _container,
}
