"""The section `events`: where events are delivered to.

An endpoint is read as that of a call in a workflow, so that it has the same authentication.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import shortened
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Items, Leaf, Member, Members, Node, plain
from dirigent.model.events.cursor import EVERYTHING
from dirigent.model.events.sink import Mode, Sink, ToFile, ToStdout, ToWeb
from dirigent.model.program import Call, tasks_of
from dirigent.model.source import Span
from dirigent.model.values import Template, UriTemplate, leaves
from dirigent.ports import ExpressionFailed

DSL: Final = "1.0.3"
_SECRETS: Final = frozenset({"secrets", "secret"})


def read_sinks(reading: Reading, found: Members | None) -> dict[str, Sink]:
    """Return the sinks of a stack.

    Reports one that is switched off (E1950), batches of events that travel in headers (E1951), an endpoint
    that is to be computed of anything but secrets (E1953), two that write one file (E1954).
    """
    sinks: dict[str, Sink] = {}
    files: dict[str, str] = {}
    for member in found or ():
        node = mapping_of(member.node)
        to = _destination(reading, member, node) if node is not None else None
        if node is None or to is None:
            continue
        if isinstance(to, ToFile):
            _check_file(reading, member, to, files)
        sinks[member.key] = Sink(member.key, to, _patterns(node, "types"), _patterns(node, "sources"))
    return sinks


def _destination(reading: Reading, member: Member, node: Members) -> ToStdout | ToFile | ToWeb | None:
    if "stdout" in node.members:
        if plain(node.members["stdout"].node) is not True:
            reading.complain(
                "E1950",
                f"the sink `{shortened(member.key)}` goes nowhere",
                node.members["stdout"].node.span,
                "switched off",
                "write `stdout: true`, or leave the sink out",
            )
        return ToStdout()
    path = text_of(node.get("file"))
    if path is not None:
        return ToFile(path)
    endpoint = node.get("http")
    return None if endpoint is None else _web(reading, member, node, endpoint)


def _web(reading: Reading, member: Member, node: Members, endpoint: Node) -> ToWeb | None:
    count = plain(node.members["batch"].node) if "batch" in node.members else 1
    mode = Mode.BINARY if text_of(node.get("mode")) == Mode.BINARY.value else Mode.STRUCTURED
    if mode is Mode.BINARY and "batch" in node.members:
        reading.complain(
            "E1951",
            f"the sink `{shortened(member.key)}` cannot send batches: events in headers travel alone",
            node.members["batch"].key_span,
            "with `mode: binary`",
            "leave `batch` or `mode` out",
        )
    names = tuple(reading.secrets)
    if any(_within(problem.at, endpoint.span) for problem in reading.problems if problem.at is not None):
        return None  # What the shape has reported would only be said again.
    document = _document(member, endpoint, names)
    program, problems = reading.context.read_workflow(document, reading.file, reading.text)
    reading.problems.extend(problems)
    calls = [task.node for task in tasks_of(program.root) if isinstance(task.node, Call)] if program else []
    if program is None or not calls:
        return None
    _check_request(reading, member, calls[0].request)
    batch = count if isinstance(count, int) else 1
    return ToWeb(calls[0].request, mode, batch, program.hosts, names)


def _within(inner: Span, outer: Span) -> bool:
    start = (inner.line, inner.column)
    return (outer.line, outer.column) <= start <= (outer.end_line, outer.end_column)


def _check_request(reading: Reading, member: Member, request: Template) -> None:
    """Report what is to be computed of anything but secrets: there is no run that it could be computed of."""
    for leaf in leaves(request):
        words = f"`{{...}}` in `{leaf.text}`" if isinstance(leaf, UriTemplate) else f"`{leaf.text}`"
        if not isinstance(leaf, UriTemplate):
            try:
                compiled = reading.context.language.compile(leaf.text)
            except ExpressionFailed:
                continue  # The reader of workflows has said so.
            if compiled.local and compiled.variables <= _SECRETS and "$" in leaf.text:
                continue
        reading.complain(
            "E1953",
            f"{shortened(words)} of the sink `{shortened(member.key)}` belongs to no run",
            leaf.span or member.key_span,
            "nothing to compute it of",
            "write it out; of expressions a sink has `${ $secrets.NAME }` alone",
        )


def _check_file(reading: Reading, member: Member, to: ToFile, files: dict[str, str]) -> None:
    first = files.setdefault(to.path, member.key)
    if first != member.key:
        reading.complain(
            "E1954",
            f"the sinks `{shortened(first)}` and `{shortened(member.key)}` write the same file",
            member.key_span,
            f"`{shortened(to.path)}`",
            "name another file, or put the types of both into one sink",
        )


def _patterns(node: Members, name: str) -> tuple[str, ...]:
    found = node.get(name)
    if not isinstance(found, Items):
        return EVERYTHING
    return tuple(text for item in found.items if (text := text_of(item)) is not None)


def _document(member: Member, endpoint: Node, secrets: tuple[str, ...]) -> Node:
    """Return a workflow that calls the endpoint: what is wrong with it is reported where it stands."""
    at = member.key_span
    call = _mapping({"method": Leaf("post", at), "endpoint": endpoint}, at)
    task = _mapping({"call": Leaf("http", at), "with": call}, at)
    header = {"dsl": DSL, "namespace": "dirigent", "name": "sink", "version": "1.0.0"}
    parts: dict[str, Node] = {
        "document": _mapping({name: Leaf(text, at) for name, text in header.items()}, at)
    }
    if secrets:
        names = Items(tuple(Leaf(name, at) for name in secrets), at)
        parts["use"] = _mapping({"secrets": names}, at)
    parts["do"] = Items((_mapping({"deliver": task}, at),), at)
    return _mapping(parts, at)


def _mapping(parts: Mapping[str, Node], at: Span) -> Members:
    return Members({name: Member(name, at, node) for name, node in parts.items()}, at)
