"""The kinds of `call`. Register a new one in `CALLS`; its shape in `shapes.calls.CALLS`.

A call that has a shape and no lowering is not supported yet, and its shape says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.lang.tree import Members
from dirigent.lang.workflow.calls.functions import lower_function
from dirigent.lang.workflow.calls.http import lower_http, lower_openapi
from dirigent.lang.workflow.calls.protocols.a2a import lower_a2a
from dirigent.lang.workflow.calls.protocols.asyncapi import lower_asyncapi
from dirigent.lang.workflow.calls.protocols.grpc import lower_grpc
from dirigent.lang.workflow.calls.protocols.mcp import lower_mcp
from dirigent.lang.workflow.reading import Lowering, Reading, Scope, text_of
from dirigent.lang.workflow.shapes.calls import CALLS as SHAPES
from dirigent.lang.workflow.tasks.task import NO_WORK
from dirigent.model.program import Node as Work

CALLS: Final[Mapping[str, Lowering]] = MappingProxyType(
    {
        "http": lower_http,
        "openapi": lower_openapi,
        "a2a": lower_a2a,
        "asyncapi": lower_asyncapi,
        "grpc": lower_grpc,
        "mcp": lower_mcp,
    }
)


def lower_call(reading: Reading, node: Members, scope: Scope) -> Work:
    """Lower `call`: of a protocol, or of a function."""
    kind = text_of(node.get("call")) or ""
    lower = CALLS.get(kind)
    if lower is not None:
        return lower(reading, node, scope)
    return NO_WORK if kind in SHAPES else lower_function(reading, node, scope)
