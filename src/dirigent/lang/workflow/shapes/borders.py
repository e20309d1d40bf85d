"""Shapes of the borders of a task and a document: schemas, and what is computed at each border."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKey, ByKind, Field, Record, Text
from dirigent.lang.workflow.shapes.atoms import ANY, BARE, FREE
from dirigent.lang.workflow.shapes.network.endpoints import FIXED

_FORMAT: Final = Text(pattern="json(?::.*)?", what="text `json`: no other format is supported")
_RESOURCE: Final = Record(
    {"name": Field(Text()), "endpoint": Field(FIXED, required=True)}, title="an external resource"
)
SCHEMA: Final = ByKey(
    {
        "document": Record(
            {
                "format": Field(_FORMAT),
                "document": Field(ANY),
            },
            title="a schema",
        ),
        "resource": Record(
            {"format": Field(_FORMAT), "resource": Field(_RESOURCE, required=True)}, title="a schema"
        ),
    },
    title="a schema",
    what="a mapping such as `{document: {type: object}}`",
)
PROJECTION: Final = ByKind(text=BARE, map=FREE)
INPUT: Final = Record({"schema": Field(SCHEMA), "from": Field(PROJECTION)}, title="`input`")
OUTPUT: Final = Record({"schema": Field(SCHEMA), "as": Field(PROJECTION)}, title="`output`")
EXPORT: Final = Record({"schema": Field(SCHEMA), "as": Field(PROJECTION)}, title="`export`")
