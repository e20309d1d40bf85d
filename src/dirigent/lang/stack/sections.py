"""The sections of single values: inputs, secrets, outputs."""

from __future__ import annotations

from dirigent.lang.schema import schema_fault
from dirigent.lang.stack.expressions import template
from dirigent.lang.stack.mentions import Use
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Member, Members, plain
from dirigent.model.source import Span
from dirigent.model.stack import Input, Secret
from dirigent.model.values import Template


def read_inputs(reading: Reading, found: Members | None) -> dict[str, Input]:
    """Return the inputs; report schemas that are none (E1410) and defaults that break them (E1409)."""
    inputs: dict[str, Input] = {}
    for member in found or ():
        if isinstance(member.node, Members):
            inputs[member.key] = _input(reading, member, member.node)
    return inputs


def _input(reading: Reading, member: Member, node: Members) -> Input:
    whole = plain(node)
    schema = (
        {key: value for key, value in whole.items() if key != "default"} if isinstance(whole, dict) else {}
    )
    default = node.members.get("default")
    if default is None:
        _check_schema(reading, member, schema)
        return Input(member.key, schema, span=member.key_span)
    value = plain(default.node)
    if _check_schema(reading, member, schema):
        violation = reading.context.schemas.violation(schema, value)
        if violation is not None:
            where = default.node.span
            at = (
                where
                if where.line == where.end_line and where.column < where.end_column
                else default.key_span
            )
            reading.complain(
                "E1409",
                f"the default of the input `{member.key}` does not fit its own schema: {violation}",
                at,
                "does not fit",
                "change the default or the schema",
            )
    return Input(member.key, schema, default=value, required=False, span=member.key_span)


def _check_schema(reading: Reading, member: Member, schema: object) -> bool:
    before = {problem.at for problem in reading.problems if problem.at is not None}
    # What the shape has reported inside of this schema would only be said a second time.
    if any(_within(span, member) for span in before):
        return False
    fault = schema_fault(schema if isinstance(schema, dict) else None)
    if fault is not None:
        reading.complain(
            "E1410",
            f"the schema of the input `{member.key}` is not valid: {fault}",
            member.key_span,
            "not a JSON Schema",
            "see json-schema.org for what may stand here",
        )
    return fault is None


def _within(span: Span, member: Member) -> bool:
    outer = member.node.span
    start = (span.line, span.column)
    return (outer.line, outer.column) <= start <= (outer.end_line, outer.end_column)


def read_secrets(found: Members | None) -> dict[str, Secret]:
    """Return where each secret is found."""
    secrets: dict[str, Secret] = {}
    for member in found or ():
        node = mapping_of(member.node)
        for kind in ("env", "file"):
            at = text_of(node.get(kind)) if node is not None else None
            if at is not None and member.key not in secrets:
                secrets[member.key] = Secret(member.key, kind, at, member.key_span)
    return secrets


def read_outputs(reading: Reading, found: Members | None) -> dict[str, Template]:
    """Return the outputs as templates, their expressions checked."""
    return {
        member.key: template(reading, member.node, Use(f"the output `{member.key}`"))
        for member in found or ()
    }
