"""The borders of a task: schemas, projections, time-outs, and the durations that time-outs are made of."""

from __future__ import annotations

from typing import Final

from dirigent.lang.schema import schema_fault
from dirigent.lang.shape import inner_expression
from dirigent.lang.shape.place import head_of
from dirigent.lang.tree import Leaf, Members, Node, plain
from dirigent.lang.workflow.calls.endpoints import elsewhere
from dirigent.lang.workflow.expressions import projection, template
from dirigent.lang.workflow.reading import (
    DEFINITION,
    EXPORT,
    TASK_INPUT,
    WORKFLOW_INPUT,
    Reading,
    Scope,
    complain,
    member_of,
    named,
)
from dirigent.model.duration import seconds_of
from dirigent.model.program import IDENTITY, UNFILTERED, Filter
from dirigent.model.values import Expression, Template, Value

# What an export without `as` leaves as it is.
_CONTEXT: Final = Expression("$context")


def input_filter(
    reading: Reading, task: Node | None, scope: Scope, arguments: tuple[str, ...] = TASK_INPUT
) -> Filter:
    """Return the filter `input` of a task or, with its arguments, of a document."""
    return _filter(reading, member_of(task, "input"), "from", IDENTITY, scope.given(arguments))


def output_filter(
    reading: Reading, task: Node | None, scope: Scope, arguments: tuple[str, ...] = DEFINITION
) -> Filter:
    """Return the filter `output` of a task or, with its arguments, of a document."""
    return _filter(reading, member_of(task, "output"), "as", IDENTITY, scope.given(arguments))


def export_filter(reading: Reading, task: Node | None, scope: Scope) -> Filter:
    """Return the filter `export` of a task; without `as` the context stays what it is."""
    return _filter(reading, member_of(task, "export"), "as", _CONTEXT, scope.given(EXPORT))


def duration(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return the seconds of a literal duration, the expression of a computed one, None for an absent one.

    A malformed one, which the shape has reported, gives 0.
    """
    if node is None:
        return None
    if isinstance(node, Leaf) and isinstance(node.value, str) and inner_expression(node.value) is not None:
        return template(reading, node, scope)
    if isinstance(node, Members) and not node.members:
        complain(reading, "E1308", "an empty mapping is not a duration", node.span, "write `{seconds: 30}`")
    return _seconds(plain(node))


def timeout(reading: Reading, task: Node | None, scope: Scope) -> Template:
    """Return the time-out of a task or document: written there, or named."""
    node = member_of(task, "timeout")
    if isinstance(node, Leaf):
        also = (f"{{after: {node.value}}}",) if _is_duration(node.value) else ()
        node = named(reading, "timeouts", node, reading.uses.timeouts, also=also)
    return duration(reading, member_of(node, "after"), scope)


def _filter(reading: Reading, node: Node | None, key: str, otherwise: Expression, scope: Scope) -> Filter:
    if not isinstance(node, Members):
        return UNFILTERED
    written = node.get(key)
    document = member_of(node, "schema", "document")
    resource = member_of(node, "schema", "resource")
    if written is None and document is None and resource is None:
        return UNFILTERED
    shape = otherwise if written is None else projection(reading, written, scope)
    _check_schema(reading, document)
    schema = None if document is None else plain(document)
    if resource is None:
        return Filter(shape=shape, schema=schema, present=True)
    source = elsewhere(reading, member_of(resource, "endpoint"), scope.given(WORKFLOW_INPUT))
    return Filter(shape=shape, schema=schema, present=True, source=source)


def _check_schema(reading: Reading, node: Node | None) -> None:
    """Report a schema that is none (E1941): otherwise every value would break it, at run time."""
    if node is None:
        return
    fault = schema_fault(plain(node))
    if fault is not None:
        complain(
            reading,
            "E1941",
            f"this is not a JSON Schema: {fault}",
            node.span if isinstance(node, Leaf) else head_of(node),
            "correct it as the JSON Schema that its `$schema` names, 2020-12 if it names none",
        )


def _is_duration(value: Value) -> bool:
    try:
        seconds_of(value)
    except ValueError:
        return False
    return True


def _seconds(value: Value) -> float:
    try:
        return seconds_of(value)
    except ValueError:
        return 0.0
