"""Operators that are more than one value or another: chains, comparison, logic, alternatives, flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from dirigent.lang.jq.evaluation.arithmetic import OPERATIONS, negate
from dirigent.lang.jq.evaluation.code import Code, Flow, Many, One, Operation, Run, bounded, flow_of, paired
from dirigent.lang.jq.evaluation.frame import Frame, Raised, Stopped, Undetermined
from dirigent.lang.jq.evaluation.order import compare, equal, truth
from dirigent.model.values import SecretText, Unknown, Value
from dirigent.ports import ExpressionFailed

COMPARISONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "==": equal,
        "!=": lambda left, right, frame: not equal(left, right, frame),
        "<": lambda left, right, frame: compare(left, right, frame) < 0,
        "<=": lambda left, right, frame: compare(left, right, frame) <= 0,
        ">": lambda left, right, frame: compare(left, right, frame) > 0,
        ">=": lambda left, right, frame: compare(left, right, frame) >= 0,
    }
)


def chained(first: Code, rest: Sequence[tuple[str, Code]]) -> Code:
    """Return the code of `a + b - c`, from the left."""
    if len(rest) == 1:
        return paired(OPERATIONS[rest[0][0]], first, rest[0][1])
    single = [(OPERATIONS[operator], code.run) for operator, code in rest if isinstance(code, One)]
    if isinstance(first, One) and len(single) == len(rest):
        return One(_chain(first.run, tuple(single)))
    bounded(len(rest), "operators")
    code = first
    for operator, other in rest:
        code = paired(OPERATIONS[operator], code, other)
    return code


def _chain(first: Run, rest: tuple[tuple[Operation, Run], ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        try:
            value = first(dot, frame)
        except Undetermined as reason:
            value = reason.value()
        for operation, other in rest:
            try:
                value = operation(value, other(dot, frame), frame)
            except Undetermined as reason:
                before = (value,) if isinstance(value, Unknown) else ()
                value = Undetermined(*before, reason.value()).value()
        return value

    return run


def negated(body: Code) -> Code:
    """Return the code of `-body`."""
    return mapped(body, lambda value, frame: negate(value))


def mapped(body: Code, function: Run) -> Code:
    """Return the code that applies a function to every result of another."""
    if isinstance(body, One):
        run = body.run
        return One(lambda dot, frame: function(run(dot, frame), frame))
    flow = body.flow

    def each(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in flow(dot, frame):
            yield function(value, frame)

    return Many(each)


def logical(operator: str, parts: Sequence[Code]) -> Code:
    """Return the code of `and` or `or`; what decides early leaves the rest unevaluated."""
    decisive = operator == "or"
    single = tuple(part.run for part in parts if isinstance(part, One))
    if len(single) == len(parts):

        def run(dot: Value, frame: Frame) -> Value:
            return _any(single, dot, frame) if decisive else _all(single, dot, frame)

        return One(run)
    bounded(len(parts), "operators")
    flow = flow_of(parts[0])
    for part in parts[1:]:
        flow = _logic(flow, flow_of(part), decisive=decisive)
    return Many(flow)


def _any(parts: tuple[Run, ...], dot: Value, frame: Frame) -> bool:
    return any(truth(part(dot, frame)) for part in parts)


def _all(parts: tuple[Run, ...], dot: Value, frame: Frame) -> bool:
    return all(truth(part(dot, frame)) for part in parts)


def _logic(left: Flow, right: Flow, *, decisive: bool) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in left(dot, frame):
            if truth(value) == decisive:
                yield decisive
                continue
            for other in right(dot, frame):
                frame.turn()
                yield truth(other)

    return flow


def alternatives(parts: Sequence[Code]) -> Code:
    """Return the code of `a // b // c`: the first part with a result that is neither null nor false."""
    single = tuple(part.run for part in parts if isinstance(part, One))
    if len(single) == len(parts):
        return One(_first_present(single))
    flows = tuple(flow_of(part) for part in parts)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for part in flows[:-1]:
            found = False
            for value in part(dot, frame):
                if _present(value):
                    found = True
                    yield value
            if found:
                return
        yield from flows[-1](dot, frame)

    return Many(flow)


def _first_present(parts: tuple[Run, ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        value: Value = None
        for part in parts[:-1]:
            value = part(dot, frame)
            if _present(value):
                return value
        return parts[-1](dot, frame)

    return run


def _present(value: Value) -> bool:
    """A secret is always a text, so asking whether it is there tells nothing about it."""
    return isinstance(value, SecretText) or truth(value)


def sequenced(parts: Sequence[Code]) -> Code:
    """Return the code of `a, b, c`."""
    flows = tuple(flow_of(part) for part in parts)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for part in flows:
            frame.turn()
            yield from part(dot, frame)

    return Many(flow)


def piped(parts: Sequence[Code]) -> Code:
    """Return the code of `a | b | c`; neighbours with one result each become one closure."""
    merged: list[Code] = []
    run: list[Run] = []
    for part in parts:
        if isinstance(part, One):
            run.append(part.run)
            continue
        if run:
            merged.append(One(_line(tuple(run))))
            run = []
        merged.append(part)
    if run:
        merged.append(One(_line(tuple(run))))
    if len(merged) == 1:
        return merged[0]
    bounded(len(merged), "stages of a pipe")
    flow = flow_of(merged[0])
    for part in merged[1:]:
        flow = _into(flow, part)
    return Many(flow)


def _line(parts: tuple[Run, ...]) -> Run:
    if len(parts) == 1:
        return parts[0]

    def run(dot: Value, frame: Frame) -> Value:
        for part in parts:
            dot = part(dot, frame)
        return dot

    return run


def _into(flow: Flow, part: Code) -> Flow:
    if isinstance(part, One):
        run = part.run

        def each(dot: Value, frame: Frame) -> Iterator[Value]:
            for value in flow(dot, frame):
                yield run(value, frame)

        return each
    following = part.flow

    def every(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in flow(dot, frame):
            yield from following(value, frame)

    return every


def conditional(branches: Sequence[tuple[Code, Code]], otherwise: Code | None) -> Code:
    """Return the code of `if`; without `else`, the dot itself."""
    single: list[tuple[Run, Run]] = []
    for condition, body in branches:
        if isinstance(condition, One) and isinstance(body, One):
            single.append((condition.run, body.run))
    if len(single) == len(branches) and not isinstance(otherwise, Many):
        return One(_choice(tuple(single), otherwise.run if otherwise else None))
    bounded(len(branches), "branches")
    rest = flow_of(otherwise) if otherwise else None
    for condition, body in reversed(branches):
        rest = _branch(flow_of(condition), flow_of(body), rest)
    return Many(rest) if rest else otherwise or Many(lambda dot, frame: iter(()))


def _choice(branches: tuple[tuple[Run, Run], ...], otherwise: Run | None) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        for condition, body in branches:
            if truth(condition(dot, frame)):
                return body(dot, frame)
        return otherwise(dot, frame) if otherwise else dot

    return run


def _branch(condition: Flow, body: Flow, otherwise: Flow | None) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in condition(dot, frame):
            frame.turn()
            if truth(value):
                yield from body(dot, frame)
            elif otherwise:
                yield from otherwise(dot, frame)
            else:
                yield dot

    return flow


def bound(source: Code, name: str, body: Code) -> Code:
    """Return the code of `source as $name | body`."""
    if isinstance(source, One) and isinstance(body, One):
        value_of, result_of = source.run, body.run

        def run(dot: Value, frame: Frame) -> Value:
            try:
                value = value_of(dot, frame)
            except Undetermined as reason:
                value = reason.value()
            return result_of(dot, frame.with_variable(name, value))

        return One(run)
    values, results = flow_of(source), flow_of(body)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in values(dot, frame):
            yield from results(dot, frame.with_variable(name, value))

    return Many(flow)


def attempted(body: Code, rescue: Code | None) -> Code:
    """Return the code of `try`: results up to the first error, then those of `catch`."""
    results = flow_of(body)
    rescued = flow_of(rescue) if rescue else None

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        try:
            yield from results(dot, frame)
        except Stopped:
            raise
        except ExpressionFailed as failure:
            caught: Value = failure.value if isinstance(failure, Raised) else str(failure)
        else:
            return
        if rescued:
            yield from rescued(caught, frame)

    return Many(flow)
