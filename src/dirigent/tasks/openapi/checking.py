"""Whether parameters fit their schemas, judged by what goes over the wire: `"5"` fits a number.

Light on purpose: bodies are the server's to judge, and a schema that cannot be compiled checks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import jsonschema_rs

from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed
from dirigent.tasks.openapi.operation import Operation, Parameter


def check(operation: Operation, given: Mapping[str, Value]) -> None:
    """Raise `CallFailed` for the first parameter whose value its schema does not allow."""
    for parameter in operation.parameters:
        value = given.get(parameter.name)
        if value is None or not parameter.schema:
            continue
        validator = _validator(operation, parameter)
        if validator is None:
            continue
        violations = [_violation(validator, form) for form in _wire_forms(value)]
        if all(violations):
            raise malformed(
                f"the {parameter.location} parameter `{parameter.name}` of `{operation.id}` "
                f"does not fit its schema: {violations[0]}"
            )


def _validator(operation: Operation, parameter: Parameter) -> jsonschema_rs.Validator | None:
    schema = dict(parameter.schema)
    # The parameters' own references start from the root of the document.
    for name in ("components", "definitions"):
        if name in operation.root and "$ref" in json.dumps(parameter.schema):
            schema[name] = operation.root[name]
    draft = (
        jsonschema_rs.Draft202012Validator
        if operation.version.startswith("3.1")
        else jsonschema_rs.Draft4Validator
    )
    try:
        # The values may be secret, so the words must not hold them; patterns must end in linear time.
        return draft(schema, mask="the value", offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return None


def _violation(validator: jsonschema_rs.Validator, value: Value) -> str:
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return error.message
    return ""


def _wire_forms(value: Value) -> list[Value]:
    """Return a value and its twins: on the wire a number is a text, and a text is a list of one."""
    forms = [value]
    if isinstance(value, str):
        try:
            scalar: Value = json.loads(value)
        except (ValueError, RecursionError):
            scalar = None
        forms += [scalar] if isinstance(scalar, bool | int | float) else []
    elif isinstance(value, bool | int | float):
        forms.append(json.dumps(value))
    else:
        return forms
    return forms + [[form] for form in forms]
