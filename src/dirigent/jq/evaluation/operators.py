"""Operators that are more than one value or another: chains, comparison, logic, alternatives, flow."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.arithmetic import OPERATIONS, negate
from dirigent.jq.evaluation.code import (
    Code,
    Flow,
    Many,
    One,
    Operation,
    Run,
    bounded,
    flow_of,
    guarded,
    paired,
)
from dirigent.jq.evaluation.frame import Frame, Undetermined
from dirigent.jq.evaluation.order import compare, equal, truth
from dirigent.model.values import SecretText, Value


def _comparing(decide: Callable[[float, float], bool]) -> Operation:
    """Return a comparison: directly for two integers, else by the order of all values."""

    def run(left: Value, right: Value, frame: Frame) -> Value:
        if type(left) is int and type(right) is int:
            return decide(left, right)
        return decide(compare(left, right, frame), 0)

    return run


def _equal(left: Value, right: Value, frame: Frame) -> Value:
    return equal(left, right, frame)


def _unequal(left: Value, right: Value, frame: Frame) -> Value:
    return not equal(left, right, frame)


COMPARISONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "==": _equal,
        "!=": _unequal,
        "<": _comparing(operator.lt),
        "<=": _comparing(operator.le),
        ">": _comparing(operator.gt),
        ">=": _comparing(operator.ge),
    }
)


def chained(first: Code, rest: Sequence[tuple[str, Code]]) -> Code:
    """Return the code of `a + b - c`, from the left."""
    if len(rest) == 1:
        return paired(OPERATIONS[rest[0][0]], first, rest[0][1])
    single = [(OPERATIONS[sign], code.run) for sign, code in rest if isinstance(code, One)]
    if isinstance(first, One) and len(single) == len(rest):
        return One(_chain(first.run, tuple(single)))
    bounded(len(rest), "operators")
    code = first
    for sign, other in rest:
        code = paired(OPERATIONS[sign], code, other)
    return code


def _chain(first: Run, rest: tuple[tuple[Operation, Run], ...]) -> Run:
    """Operands are evaluated from the last to the first, as libjq does; what is unknown is united."""
    runs = (first, *(run for _, run in rest))
    operations = tuple(operation for operation, _ in rest)

    def run(dot: Value, frame: Frame) -> Value:
        values = [guarded(operand, dot, frame) for operand in reversed(runs)]
        value = values.pop()
        for operation in operations:
            try:
                value = operation(value, values.pop(), frame)
            except Undetermined as reason:
                value = reason.value()
        return value

    return run


def negated(body: Code) -> Code:
    """Return the code of `-body`."""
    return mapped(body, lambda value, _: negate(value))


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


def logical(sign: str, parts: Sequence[Code]) -> Code:
    """Return the code of `and` or `or`; what decides early leaves the rest unevaluated."""
    decisive = sign == "or"
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
