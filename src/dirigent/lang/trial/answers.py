"""The answers of the world in a test file: which calls are meant, and what they are given."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import head_of, nearest, shortened
from dirigent.lang.tree import Items, Leaf, Members, Node, plain
from dirigent.lang.trial.reading import Reading, expression, seconds, text_of, whole_of
from dirigent.lang.trial.trial import Answer, Matcher, Reply
from dirigent.model.fault import STANDARD, STANDARD_NAMES, Fault
from dirigent.model.values import Expression, Value

_CHOICES: Final = ("output", "error", "compute", "real")
_STATUS: Final = 500


def matcher(reading: Reading, node: Members) -> Matcher:
    """Return which calls are meant."""
    task = node.members.get("task")
    request = node.get("request")
    return Matcher(
        "" if task is None else reading.task(text_of(task.node), task.node.span),
        text_of(node.get("call")),
        text_of(node.get("workflow")),
        None if request is None else plain(request),
    )


def answer(reading: Reading, node: Members) -> Answer:
    """Return an answer; report one that says nothing, or two things (E7073)."""
    listed = node.members.get("replies")
    single = [name for name in (*_CHOICES, "after") if name in node.members]
    if listed is not None and single:
        at = node.members[single[0]].key_span
        reading.complain(
            "E7073", f"`{single[0]}` stands beside `replies`", at, "which of them?", "put it into a reply"
        )
    told = _items(listed.node) if listed is not None else [node]
    replies = tuple(_reply(reading, each) for each in told)
    return Answer(
        matcher(reading, node),
        replies,
        head_of(node),
        whole_of(node.get("times")),
        text_of(node.get("doubt")) or "keyed",
    )


def _reply(reading: Reading, node: Members) -> Reply:
    chosen = [name for name in _CHOICES if name in node.members]
    if len(chosen) != 1:
        told = "nothing" if not chosen else " and ".join(f"`{name}`" for name in chosen)
        reading.complain(
            "E7073",
            f"a reply says {told}; it must say one of `output`, `error`, `compute` and `real`",
            head_of(node) if not chosen else node.members[chosen[1]].key_span,
            "what does the call give?" if not chosen else "the second of them",
        )
        return Reply(None)
    after, found = node.get("after"), node.members[chosen[0]]
    real = chosen[0] == "real"
    if real and plain(found.node) is not True:
        reading.complain("E7073", "`real` is not `true`", found.node.span, "what else?", "write `real: true`")
    return Reply(
        None if real else _result(reading, chosen[0], found.node),
        0.0 if after is None else seconds(reading, after),
        real,
    )


def _result(reading: Reading, what: str, node: Node) -> Value | Fault | Expression:
    match what:
        case "output":
            return plain(node)
        case "compute":
            return expression(reading, node)
        case _:
            return _fault(reading, node)


def _fault(reading: Reading, node: Node) -> Fault:
    members = node if isinstance(node, Members) else Members({}, node.span)
    kind = members.get("type")
    status = whole_of(members.get("status"))
    return Fault(
        type_of(reading, kind) if isinstance(kind, Leaf) else STANDARD + "communication",
        _STATUS if status is None else status,
        text_of(members.get("title")),
        text_of(members.get("detail")),
    )


def type_of(reading: Reading, node: Leaf) -> str:
    """Return the URI of an error type that is written in short, or report that there is none (E7073)."""
    text = text_of(node)
    if ":" in text:
        return text
    if text not in STANDARD_NAMES:
        meant = nearest(text, STANDARD_NAMES)
        reading.complain(
            "E7073",
            f"`{shortened(text)}` is no standard type of errors",
            node.span,
            f"did you mean `{meant}`?" if meant else "unknown",
            f"known: {', '.join(STANDARD_NAMES)}; any other type is a whole URI",
        )
    return STANDARD + text


def _items(node: Node | None) -> list[Members]:
    return [each for each in node.items if isinstance(each, Members)] if isinstance(node, Items) else []


def wanted_error(reading: Reading, node: Node) -> Value:
    """Return the members of an error that are expected, its type as a whole URI."""
    found = plain(node)
    kind = node.get("type") if isinstance(node, Members) else None
    if isinstance(found, dict) and isinstance(kind, Leaf):
        return {**found, "type": type_of(reading, kind)}
    return found
