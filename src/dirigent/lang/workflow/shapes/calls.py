"""Shapes of `call`. A new kind of call is registered in `CALLS`; its lowering in `workflow.calls.kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import ByValue, Field, Flag, Record, Shape, Text
from dirigent.lang.workflow.shapes.atoms import ANY, COMPUTED_MAP, NAME, SCALARS
from dirigent.lang.workflow.shapes.network.endpoints import SOURCE, WEB
from dirigent.lang.workflow.shapes.network.security import AUTHENTICATION
from dirigent.lang.workflow.shapes.protocols import a2a, asyncapi, grpc, mcp
from dirigent.lang.workflow.shapes.task import task_shape

_OUTPUT_FORM: Final = Text(choices=("content", "raw", "response"))
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HTTP: Final = Record(
    {
        "method": Field(
            Text(
                pattern="|".join("".join(f"[{c}{c.lower()}]" for c in name) for name in _METHODS),
                what="text: one of " + ", ".join(f"`{name.lower()}`" for name in _METHODS),
            ),
            required=True,
        ),
        "endpoint": Field(WEB, required=True),
        "headers": Field(SCALARS),
        "query": Field(SCALARS),
        "body": Field(ANY),
        "output": Field(_OUTPUT_FORM),
        "redirect": Field(Flag()),
    },
    title="the arguments of an HTTP call",
)
_OPENAPI: Final = Record(
    {
        "document": Field(SOURCE, required=True),
        "operationId": Field(NAME, required=True),
        "parameters": Field(COMPUTED_MAP),
        "authentication": Field(AUTHENTICATION),
        "output": Field(_OUTPUT_FORM),
        "redirect": Field(Flag()),
    },
    title="the arguments of an OpenAPI call",
)

CALLS: Final[Mapping[str, Shape]] = {
    "http": task_shape("an HTTP call", call=ANY, with_=_HTTP),
    "openapi": task_shape("an OpenAPI call", call=ANY, with_=_OPENAPI),
    "grpc": grpc.CALL,
    "asyncapi": asyncapi.CALL,
    "a2a": a2a.CALL,
    "mcp": mcp.CALL,
}
CALL: Final = ByValue(
    "call", CALLS, otherwise=task_shape("a function call", "with", call=NAME, with_=COMPUTED_MAP)
)
