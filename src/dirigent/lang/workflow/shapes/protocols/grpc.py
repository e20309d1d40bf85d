"""The shape of a call of kind `grpc`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import Field, OrExpression, Record, Text, Whole
from dirigent.lang.workflow.shapes.atoms import ANY, COMPUTED_MAP, NAME
from dirigent.lang.workflow.shapes.network.endpoints import SOURCE
from dirigent.lang.workflow.shapes.network.security import AUTHENTICATION
from dirigent.lang.workflow.shapes.task import task_shape

_HOST: Final = Text(
    pattern="[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?",
    what="the name or address of a host, such as `orders.example.com`",
)
_SERVICE: Final = Record(
    {
        "name": Field(NAME, required=True),
        "host": Field(OrExpression(_HOST), required=True),
        "port": Field(OrExpression(Whole(min=0, max=65_535))),
        "authentication": Field(AUTHENTICATION),
    },
    title="a gRPC service",
)
_ARGUMENTS: Final = Record(
    {
        "proto": Field(SOURCE, required=True),
        "service": Field(_SERVICE, required=True),
        "method": Field(NAME, required=True),
        "arguments": Field(COMPUTED_MAP),
    },
    title="the arguments of a gRPC call",
)
CALL: Final = task_shape("a gRPC call", call=ANY, with_=_ARGUMENTS)
