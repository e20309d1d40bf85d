"""What decides which code runs on what: `,`, `|`, `if`, `as` and `try`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dirigent.jq.evaluation.code import Code, Flow, Many, One, Run, bounded, flow_of
from dirigent.jq.evaluation.frame import Frame, Raised, Stopped, Undetermined
from dirigent.jq.evaluation.order import truth
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed


def sequenced(parts: Sequence[Code]) -> Code:
    """Return the code of `a, b, c`."""
    flows = tuple(flow_of(part) for part in parts)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for part in flows:
            frame.spend(1)
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
    return Many(rest) if rest else otherwise or Many(lambda _, __: iter(()))


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
