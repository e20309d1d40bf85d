"""A small vocabulary for closed documents: say once what may stand where.

From one shape come the check over positioned trees, with every problem at the smallest text, and the
JSON Schema for editors. Any value with the three members of `Shape` can stand among these.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.lang.shape.choices import ByKey, ByKind, ByValue, Lazy, OrExpression, Templates
from dirigent.lang.shape.containers import Field, ListOf, MapOf, Record, SingleKeyMap
from dirigent.lang.shape.place import (
    Fixed,
    Form,
    Later,
    Place,
    Shape,
    Survey,
    described,
    head_of,
    inner_expression,
    is_expression,
    nearest,
    run,
    shortened,
)
from dirigent.lang.shape.scalars import AnyValue, ExpressionText, Flag, Number, Text, Whole, listed
from dirigent.lang.shape.values import check_value
from dirigent.lang.tree import Node
from dirigent.model.problem import Problem
from dirigent.model.values import Value

__all__ = [
    "AnyValue",
    "ByKey",
    "ByKind",
    "ByValue",
    "ExpressionText",
    "Field",
    "Fixed",
    "Flag",
    "Form",
    "Later",
    "Lazy",
    "ListOf",
    "MapOf",
    "Number",
    "OrExpression",
    "Place",
    "Record",
    "Shape",
    "SingleKeyMap",
    "Survey",
    "Templates",
    "Text",
    "Whole",
    "check",
    "check_value",
    "described",
    "head_of",
    "inner_expression",
    "is_expression",
    "json_schema",
    "listed",
    "nearest",
    "shortened",
]

_NO_DEFINITIONS: Final[Mapping[str, Shape]] = MappingProxyType({})


def check(
    node: Node,
    shape: Shape,
    problems: list[Problem],
    *,
    definitions: Mapping[str, Shape] = _NO_DEFINITIONS,
    path: str = "",
    templates: bool = False,
) -> None:
    """Append every problem of the node under the shape; `definitions` are what `Lazy` names.

    With `templates` every value may also be a whole-string expression, except under `Fixed`.
    `path` is the dotted path of the node in its document, for messages.
    """
    survey = Survey(problems, definitions)
    run(survey, node, shape, path=path, where=head_of(node), templates=templates)


def json_schema(
    shape: Shape,
    *,
    definitions: Mapping[str, Shape] = _NO_DEFINITIONS,
    title: str = "",
    templates: bool = False,
) -> dict[str, Value]:
    """Return the draft-07 JSON Schema of a shape."""
    form = Form(templates)
    written: dict[str, Value] = {"$schema": "http://json-schema.org/draft-07/schema#"}
    if title:
        written["title"] = title
    written.update(form.of(shape))
    if definitions:
        written["definitions"] = {name: form.of(named) for name, named in definitions.items()}
    return written
