"""Calls of operations of AsyncAPI: a message out, or messages in."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from dirigent.lang.tree import Member, Members, Node
from dirigent.lang.workflow.calls.endpoints import mapping, resource, texts
from dirigent.lang.workflow.calls.security import authentication
from dirigent.lang.workflow.dataflow import duration
from dirigent.lang.workflow.expressions import condition, template
from dirigent.lang.workflow.reading import Reading, Scope, complain, member_of, text_of, whole_of
from dirigent.lang.workflow.tasks.each import each_event, names_of
from dirigent.model.program import TAKING, Call, Consume
from dirigent.model.protocols.asyncapi import NAMES, SPOKEN
from dirigent.model.values import Expression, Template

_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)")
_BEGAN: Final = Expression("$task.startedAt.epoch.milliseconds")


def lower_asyncapi(reading: Reading, task: Members, scope: Scope) -> Call | Consume:
    """Lower `call: asyncapi`; it names an operation or a channel (E1991).

    With `foreach` each message is taken by a call of its own, which sees of the stream what `TAKING` says.
    """
    node = task.get("with")
    operation, channel = member_of(node, "operation"), member_of(node, "channel")
    if node is not None and (operation is None) == (channel is None):
        message = "a call of AsyncAPI names an `operation` (3.0) or a `channel` (2.6)"
        complain(reading, "E1991", message, node.span, "give one of the two")
    _check_protocol(reading, member_of(node, "protocol"))
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
    call = Call("asyncapi", request)
    each = subscription.members.get("foreach") if isinstance(subscription, Members) else None
    return call if each is None else _stream(reading, call, subscription, each, scope)


def _stream(reading: Reading, call: Call, subscription: Node | None, each: Member, scope: Scope) -> Consume:
    """Let the core ask for the messages: conditions see what was exported after the last one."""
    inside = scope.seeing(*names_of(each))
    consume = member_of(subscription, "consume")
    request = call.request if isinstance(call.request, dict) else {}
    return Consume(
        replace(call, request={**request, "stream": Expression(f"${TAKING}")}),
        each_event(reading, each, scope.at("with", "subscription", "foreach")),
        whole_of(member_of(consume, "amount")),
        condition(reading, member_of(consume, "while"), inside),
        condition(reading, member_of(consume, "until"), inside),
    )


def _check_protocol(reading: Reading, node: Node | None) -> None:
    """Report a protocol of the standard that nobody speaks here (E7090)."""
    name = text_of(node)
    if node is not None and name in NAMES and name not in SPOKEN:
        spoken = ", ".join(f"`{each}`" for each in NAMES if each in SPOKEN)
        complain(
            reading,
            "E7090",
            f"`{name}` is a protocol that is not spoken here",
            node.span,
            f"spoken are {spoken}; put a bridge between, or call the service over HTTP",
            label="nobody speaks this",
        )


def _message(reading: Reading, node: Node, scope: Scope) -> Template:
    return {
        "payload": template(reading, member_of(node, "payload"), scope),
        "headers": texts(mapping(reading, member_of(node, "headers"), scope)),
    }


def _subscription(reading: Reading, node: Node, scope: Scope) -> Template:
    """Return how messages are taken: conditions as text, and the variables that they name.

    With `foreach` the end is the core's affair: it takes one message after the other.
    """
    consume = member_of(node, "consume")
    single = member_of(node, "foreach") is not None
    written = {
        "filter": condition(reading, member_of(node, "filter"), scope),
        "while": None if single else condition(reading, member_of(consume, "while"), scope),
        "until": None if single else condition(reading, member_of(consume, "until"), scope),
    }
    found = [each.text for each in written.values() if each is not None]
    names = dict.fromkeys(name for text in found for name in _VARIABLE.findall(text))
    seen = (*scope.variables, "context", "input", "workflow", "runtime", "task")
    return {
        "filter": _text(written["filter"]),
        "variables": {name: Expression(f"${name}") for name in names if name in seen},
        "consume": {
            "amount": 1 if single else whole_of(member_of(consume, "amount")),
            "while": _text(written["while"]),
            "until": _text(written["until"]),
            "for": duration(reading, member_of(consume, "for"), scope),
            "began": _BEGAN,
        },
    }


def _text(expression: Expression | None) -> str | None:
    return None if expression is None else expression.text
