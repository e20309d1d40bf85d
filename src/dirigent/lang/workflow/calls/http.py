"""Calls over HTTP: `http`, and `openapi`, which knows more about what it calls."""

from __future__ import annotations

from dirigent.lang.tree import Members
from dirigent.lang.workflow.calls.endpoints import endpoint, mapping, resource, texts
from dirigent.lang.workflow.calls.security import authentication
from dirigent.lang.workflow.calls.tokens import asking
from dirigent.lang.workflow.expressions import template
from dirigent.lang.workflow.reading import Reading, Scope, entries_of, flag_of, member_of, text_of
from dirigent.model.program import Call
from dirigent.model.program import Node as Work


def lower_http(reading: Reading, task: Members, scope: Scope) -> Work:
    """Lower `call: http`."""
    node = task.get("with")
    uri, policy = endpoint(reading, member_of(node, "endpoint"), scope)
    request = {
        "method": (text_of(member_of(node, "method")) or "").upper(),
        "endpoint": uri,
        "headers": texts(mapping(reading, member_of(node, "headers"), scope)),
        "query": texts(mapping(reading, member_of(node, "query"), scope)),
        "body": template(reading, member_of(node, "body"), scope),
        "has_body": "body" in entries_of(node),
        "output": text_of(member_of(node, "output")) or "content",
        "redirect": flag_of(member_of(node, "redirect"), default=False),
        "authentication": policy,
    }
    return asking(Call("http", request), "http", scope)


def lower_openapi(reading: Reading, task: Members, scope: Scope) -> Work:
    """Lower `call: openapi`."""
    node = task.get("with")
    request = {
        "document": resource(reading, member_of(node, "document"), scope),
        "operation": text_of(member_of(node, "operationId")),
        "parameters": mapping(reading, member_of(node, "parameters"), scope),
        "output": text_of(member_of(node, "output")) or "content",
        "redirect": flag_of(member_of(node, "redirect"), default=False),
        "authentication": authentication(reading, member_of(node, "authentication"), scope),
    }
    return asking(Call("openapi", request), "openapi", scope)
