"""The values that a user gives for a stack's inputs: read, checked, completed with the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.stack import Input
from dirigent.model.values import Value
from dirigent.ports import Schemas


@dataclass(frozen=True, slots=True)
class Given:
    """One value as it was given. `source` says where, as `--input` or the name of a file.

    A `raw` value is a text from a command line or an environment: it is read as YAML where the
    schema asks for something else than text.
    """

    value: Value
    source: str
    raw: bool = False


def resolve_inputs(
    inputs: Mapping[str, Input], given: Mapping[str, Given], schemas: Schemas
) -> tuple[dict[str, Value], list[Problem]]:
    """Return the value of every input and all problems; the values are complete only without problems.

    Problems: an input that the stack does not have (E1415), a value that does not fit (E1416), an
    input without a value (E1417).
    """
    problems = [_unknown(name, each, inputs) for name, each in given.items() if name not in inputs]
    values: dict[str, Value] = {}
    for name, declared in inputs.items():
        found = given.get(name)
        if found is None:
            if declared.required:
                problems.append(_missing(declared))
            else:
                values[name] = declared.default
            continue
        value, violation = _fitting(declared, found, schemas)
        values[name] = value
        if violation is not None:
            problems.append(_misfit(declared, found, violation))
    return values, problems


def _fitting(declared: Input, found: Given, schemas: Schemas) -> tuple[Value, str | None]:
    """Return the first reading of the value that fits; else the first one, with its violation."""
    readings = list(_readings(declared, found))
    violations = [schemas.violation(dict(declared.schema), value) for value in readings]
    for value, violation in zip(readings, violations, strict=True):
        if violation is None:
            return value, None
    return readings[0], violations[0]


def _readings(declared: Input, found: Given) -> Iterator[Value]:
    if not found.raw or not isinstance(found.value, str):
        yield found.value
        return
    kind = declared.schema.get("type")
    if kind == "string":
        yield found.value
        return
    tree, problems = load(found.value, found.source)
    if tree is not None and not any(problem.severity == "error" for problem in problems):
        yield plain(tree)
    yield found.value


def _unknown(name: str, found: Given, inputs: Mapping[str, Input]) -> Problem:
    meant = nearest(name, list(inputs))
    known = f"inputs of this stack: {', '.join(inputs) or 'none'}"
    return Problem(
        "E1415",
        f"`{shortened(name)}`, given by {found.source}, is not an input of this stack",
        at=inputs[meant].span if meant else None,
        label="did you mean this one?" if meant else "",
        help=(f"change it to `{meant}`", known) if meant else (known,),
    )


def _missing(declared: Input) -> Problem:
    return Problem(
        "E1417",
        f"the input `{declared.name}` has no value and no default",
        at=declared.span,
        label="declared here",
        help=(f"give it with `--input {declared.name}=VALUE`, or add a `default:`",),
    )


def _misfit(declared: Input, found: Given, violation: str) -> Problem:
    return Problem(
        "E1416",
        f"the value of `{declared.name}`, given by {found.source}, does not fit: {violation}",
        at=declared.span,
        label="declared here",
        help=("give a value that fits its schema",),
    )
