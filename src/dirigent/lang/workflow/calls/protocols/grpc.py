"""Calls over gRPC."""

from __future__ import annotations

from dirigent.lang.shape import inner_expression
from dirigent.lang.tree import Members
from dirigent.lang.workflow.calls.endpoints import mapping, resource
from dirigent.lang.workflow.calls.hosts import note_host
from dirigent.lang.workflow.calls.security import authentication
from dirigent.lang.workflow.dataflow import timeout
from dirigent.lang.workflow.expressions import template
from dirigent.lang.workflow.reading import Reading, Scope, member_of, text_of, whole_of
from dirigent.model.program import Call
from dirigent.model.values import Template


def lower_grpc(reading: Reading, task: Members, scope: Scope) -> Call:
    """Lower `call: grpc`. A host that stands literally with its port may be called."""
    node = task.get("with")
    service = member_of(node, "service")
    host, port = member_of(service, "host"), member_of(service, "port")
    name, number = text_of(host), whole_of(port)
    if name is not None and inner_expression(name) is None:
        note_host(reading, f"https://{name}" if number is None else f"https://{name}:{number}")
    request: dict[str, Template] = {
        "proto": resource(reading, member_of(node, "proto"), scope),
        "service": {
            "name": text_of(member_of(service, "name")),
            "host": template(reading, host, scope),
            "port": None if port is None else template(reading, port, scope),
        },
        "method": text_of(member_of(node, "method")),
        "arguments": mapping(reading, member_of(node, "arguments"), scope),
        "timeout": timeout(reading, task, scope),
        "authentication": authentication(reading, member_of(service, "authentication"), scope),
    }
    return Call("grpc", request)
