"""Shapes of places on the network: endpoints, and resources that are read from one."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKind, Field, Record, Shape, Text
from dirigent.lang.workflow import words
from dirigent.lang.workflow.shapes.network.security import AUTHENTICATION
from dirigent.lang.workflow.words import Checked


def endpoint(uri: Shape) -> Shape:
    """Return the shape of an endpoint: a URI of that shape, or one with credentials."""
    return ByKind(
        text=uri,
        map=Record(
            {"uri": Field(uri, required=True), "authentication": Field(AUTHENTICATION)}, title="an endpoint"
        ),
    )


def resource(uri: Shape) -> Shape:
    """Return the shape of an external resource at an endpoint of that shape."""
    fields = {"name": Field(Text()), "endpoint": Field(endpoint(uri), required=True)}
    return Record(fields, title="an external resource")


WEB: Final = endpoint(
    Checked("E1310", "a URI as text", words.web_complaint, computed=True, help="begin it with `https://`")
)
SOURCE: Final = resource(Checked("E1310", "a URI as text", words.document_complaint, computed=True))

# What is read before a run starts has no values to be computed from.
FIXED: Final = endpoint(Checked("E1310", "a URI as text", words.document_complaint))
