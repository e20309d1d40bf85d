"""Calls of A2A agents."""

from __future__ import annotations

from dirigent.lang.tree import Members
from dirigent.lang.workflow.calls.endpoints import endpoint, mapping, resource
from dirigent.lang.workflow.dataflow import timeout
from dirigent.lang.workflow.reading import Reading, Scope, complain, member_of, text_of
from dirigent.model.program import Call
from dirigent.model.values import Template


def lower_a2a(reading: Reading, task: Members, scope: Scope) -> Call:
    """Lower `call: a2a`. A card is preferred to a server; with neither nobody can be called (E1990)."""
    node = task.get("with")
    card, server = member_of(node, "agentCard"), member_of(node, "server")
    uri, policy = endpoint(reading, server, scope)
    if node is not None and card is None and server is None:
        message = "a call of an agent needs `agentCard` or `server`"
        complain(reading, "E1990", message, node.span, "write `server: https://...`, or where the card is")
    request: dict[str, Template] = {
        "method": text_of(member_of(node, "method")),
        "agentCard": None if card is None else resource(reading, card, scope),
        "server": uri if card is None else None,
        "parameters": mapping(reading, member_of(node, "parameters"), scope),
        "timeout": timeout(reading, task, scope),
        "authentication": policy if card is None else None,
    }
    return Call("a2a", request)
