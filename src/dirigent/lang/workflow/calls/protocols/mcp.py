"""Calls of MCP servers."""

from __future__ import annotations

from dirigent.lang.tree import Members
from dirigent.lang.workflow.calls.endpoints import endpoint, mapping, texts
from dirigent.lang.workflow.dataflow import duration
from dirigent.lang.workflow.expressions import template
from dirigent.lang.workflow.reading import Reading, Scope, member_of, text_of
from dirigent.model.program import Call
from dirigent.model.protocols import mcp
from dirigent.model.values import Template


def lower_mcp(reading: Reading, task: Members, scope: Scope) -> Call:
    """Lower `call: mcp`. `transport.options` are nobody's: what they would set is not described."""
    node = task.get("with")
    http = member_of(node, "transport", "http")
    stdio = member_of(node, "transport", "stdio")
    policy: Template = None
    if http is not None:
        uri, policy = endpoint(reading, member_of(http, "endpoint"), scope)
        headers = texts(mapping(reading, member_of(http, "headers"), scope))
        transport: Template = {"http": {"endpoint": uri, "headers": headers}}
    else:
        written = member_of(stdio, "arguments")
        program: dict[str, Template] = {
            "command": template(reading, member_of(stdio, "command"), scope),
            "arguments": [] if written is None else texts(template(reading, written, scope)),
            "environment": texts(mapping(reading, member_of(stdio, "environment"), scope)),
        }
        transport = {"stdio": program}
    client = member_of(node, "client")
    request: dict[str, Template] = {
        "method": text_of(member_of(node, "method")),
        "parameters": mapping(reading, member_of(node, "parameters"), scope),
        "transport": transport,
        "protocolVersion": text_of(member_of(node, "protocolVersion")) or mcp.VERSION,
        "client": None if client is None else template(reading, client, scope),
        "timeout": duration(reading, member_of(node, "timeout"), scope),
        "authentication": policy,
    }
    return Call("mcp", request)
