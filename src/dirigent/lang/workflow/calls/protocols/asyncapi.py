"""Calls of operations of AsyncAPI: a message out, or messages in."""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.tree import Members, Node
from dirigent.lang.workflow.calls.endpoints import mapping, resource, texts
from dirigent.lang.workflow.calls.security import authentication
from dirigent.lang.workflow.dataflow import duration
from dirigent.lang.workflow.expressions import condition, template
from dirigent.lang.workflow.reading import Reading, Scope, complain, member_of, text_of, whole_of
from dirigent.model.program import Call
from dirigent.model.values import Expression, Template

_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)")
_BEGAN: Final = Expression("$task.startedAt.epoch.milliseconds")


def lower_asyncapi(reading: Reading, task: Members, scope: Scope) -> Call:
    """Lower `call: asyncapi`; it names an operation or a channel (E1991)."""
    node = task.get("with")
    operation, channel = member_of(node, "operation"), member_of(node, "channel")
    if node is not None and (operation is None) == (channel is None):
        message = "a call of AsyncAPI names an `operation` (3.0) or a `channel` (2.6)"
        complain(reading, "E1991", message, node.span, "give one of the two")
    outbound, subscription = member_of(node, "message"), member_of(node, "subscription")
    request: dict[str, Template] = {
        "document": resource(reading, member_of(node, "document"), scope),
        "operation": text_of(operation),
        "channel": text_of(channel),
        "server": {
            "name": text_of(member_of(node, "server", "name")),
            "variables": mapping(reading, member_of(node, "server", "variables"), scope),
        },
        "protocol": text_of(member_of(node, "protocol")),
        "message": None if outbound is None else _message(reading, outbound, scope),
        "subscription": None if subscription is None else _subscription(reading, subscription, scope),
        "authentication": authentication(reading, member_of(node, "authentication"), scope),
    }
    return Call("asyncapi", request)


def _message(reading: Reading, node: Node, scope: Scope) -> Template:
    return {
        "payload": template(reading, member_of(node, "payload"), scope),
        "headers": texts(mapping(reading, member_of(node, "headers"), scope)),
    }


def _subscription(reading: Reading, node: Node, scope: Scope) -> Template:
    """Return how messages are taken: conditions as text, and the variables that they name."""
    consume = member_of(node, "consume")
    written = {
        "filter": condition(reading, member_of(node, "filter"), scope),
        "while": condition(reading, member_of(consume, "while"), scope),
        "until": condition(reading, member_of(consume, "until"), scope),
    }
    found = [each.text for each in written.values() if each is not None]
    names = dict.fromkeys(name for text in found for name in _VARIABLE.findall(text))
    seen = (*scope.variables, "context", "input", "workflow", "runtime", "task")
    return {
        "filter": _text(written["filter"]),
        "variables": {name: Expression(f"${name}") for name in names if name in seen},
        "consume": {
            "amount": whole_of(member_of(consume, "amount")),
            "while": _text(written["while"]),
            "until": _text(written["until"]),
            "for": duration(reading, member_of(consume, "for"), scope),
            "began": _BEGAN,
        },
    }


def _text(expression: Expression | None) -> str | None:
    return None if expression is None else expression.text
