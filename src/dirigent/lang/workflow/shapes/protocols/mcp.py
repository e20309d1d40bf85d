"""The shape of a call of kind `mcp`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKey, ByKind, Field, ListOf, Record, Shape, Text
from dirigent.lang.workflow.shapes.atoms import ANY, COMPUTED, COMPUTED_MAP, DURATION, NAME, SCALARS
from dirigent.lang.workflow.shapes.network.endpoints import WEB
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.lang.workflow.words import Scalar
from dirigent.model.protocols import mcp


def _transport(key: str, shape: Shape) -> Record:
    return Record({key: Field(shape), "options": Field(SCALARS)}, title="`transport`")


_HTTP: Final = Record(
    {"endpoint": Field(WEB, required=True), "headers": Field(SCALARS)}, title="an HTTP transport"
)
_STDIO: Final = Record(
    {
        "command": Field(NAME, required=True),
        "arguments": Field(ByKind(text=COMPUTED, list=ListOf(Scalar()))),
        "environment": Field(SCALARS),
    },
    title="a transport over the pipes of a process",
)
_ARGUMENTS: Final = Record(
    {
        "method": Field(Text(choices=mcp.METHODS), required=True),
        "transport": Field(
            ByKey(
                {"http": _transport("http", _HTTP), "stdio": _transport("stdio", _STDIO)},
                title="`transport`",
                what="a mapping such as `{http: {endpoint: ...}}`",
            ),
            required=True,
        ),
        "parameters": Field(COMPUTED_MAP),
        "protocolVersion": Field(NAME),
        "timeout": Field(DURATION),
        "client": Field(
            Record(
                {
                    "name": Field(NAME, required=True),
                    "version": Field(NAME, required=True),
                    "description": Field(Text()),
                },
                title="`client`",
            )
        ),
    },
    title="the arguments of an MCP call",
)
CALL: Final = task_shape("an MCP call", call=ANY, with_=_ARGUMENTS)
