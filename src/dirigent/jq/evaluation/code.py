"""What a tree compiles to: a closure with one result, or one with a stream of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from dirigent.jq.evaluation.frame import Frame, Undetermined
from dirigent.model.limits import EXPRESSION_DEPTH
from dirigent.model.record import dataclass
from dirigent.model.values import Unknown, Value
from dirigent.ports import ExpressionFailed

Run: TypeAlias = Callable[[Value, Frame], Value]
Flow: TypeAlias = Callable[[Value, Frame], Iterator[Value]]
Operation: TypeAlias = Callable[[Value, Value, Frame], Value]


@dataclass(frozen=True, slots=True)
class One:
    """Exactly one result."""

    run: Run


@dataclass(frozen=True, slots=True)
class Many:
    """Any number of results, made as they are asked for.

    `keeps` tells more of a filter: the only result is the dot itself, if this gives true.
    """

    flow: Flow
    keeps: Run | None = None


Code: TypeAlias = One | Many


def flow_of(code: Code) -> Flow:
    """Return any code as a stream."""
    if isinstance(code, Many):
        return code.flow
    run = code.run

    def single(dot: Value, frame: Frame) -> Iterator[Value]:
        yield run(dot, frame)

    return single


def guarded(run: Run, dot: Value, frame: Frame) -> Value:
    """Return a result, or the unknown value that stands for it."""
    try:
        return run(dot, frame)
    except Undetermined as reason:
        return reason.value()


def bounded(count: int, what: str) -> None:
    """Refuse more loops inside each other than the stack is meant for."""
    if count > EXPRESSION_DEPTH:
        raise ExpressionFailed(f"more than {EXPRESSION_DEPTH} {what} with several results")


def paired(operation: Operation, left: Code, right: Code) -> Code:
    """Return the code of an operation on two values; the right one is the outer loop, as in jq."""
    if isinstance(left, One) and isinstance(right, One):
        return One(_on_two(operation, left.run, right.run))
    lefts, rights = flow_of(left), flow_of(right)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for other in rights(dot, frame):
            for value in lefts(dot, frame):
                frame.turn()
                yield operation(value, other, frame)

    return Many(flow)


def _on_two(operation: Operation, left: Run, right: Run) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        try:
            other = right(dot, frame)
        except Undetermined as reason:
            other = reason.value()
        try:
            return operation(left(dot, frame), other, frame)
        except Undetermined as reason:
            raise Undetermined(reason.value(), *([other] if isinstance(other, Unknown) else [])) from None

    return run
