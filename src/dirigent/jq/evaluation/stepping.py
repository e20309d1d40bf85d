"""Paths: an origin and the steps from it, with the plainest ones as single closures.

Keys are evaluated against the dot of the whole path, the last one first, as libjq does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from dirigent.jq.evaluation import paths
from dirigent.jq.evaluation.code import Code, Flow, Many, One, Run, bounded, flow_of, paired
from dirigent.jq.evaluation.frame import Frame, Stopped
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed


@dataclass(frozen=True, slots=True)
class MemberCode:
    """`.name`."""

    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class AtCode:
    """`[key]` with its key compiled; a slice has an object for a key."""

    key: Code
    optional: bool


@dataclass(frozen=True, slots=True)
class EachCode:
    """`[]`."""

    optional: bool


StepCode: TypeAlias = MemberCode | AtCode | EachCode


def variable(name: str) -> Run:
    """Return the code of `$name`."""

    def run(dot: Value, frame: Frame) -> Value:
        del dot
        try:
            return frame.variables[name]
        except KeyError:
            raise ExpressionFailed(f"`${name.partition('#')[0]}` is not defined here") from None

    return run


def identity(dot: Value, frame: Frame) -> Value:
    """Return the dot."""
    del frame
    return dot


def slice_key(start: Code, end: Code) -> Code:
    """Return the code of the key of a slice; several starts are the outer loop."""
    return paired(_bounds, end, start)


def _bounds(end: Value, start: Value, frame: Frame) -> Value:
    del frame
    return {"start": start, "end": end}


def stepped(origin: Code, steps: Sequence[StepCode]) -> Code:
    """Return the code of a path. Steps with one result each make one loop, however many they are."""
    code, loops = origin, 0
    waiting: list[str | Run] = []
    for step in steps:
        if isinstance(step, MemberCode) and not step.optional:
            waiting.append(step.name)
        elif isinstance(step, AtCode) and isinstance(step.key, One) and not step.optional:
            waiting.append(step.key.run)
        else:
            loops += 1
            bounded(loops, "steps of a path")
            code = Many(_many(flow_of(_taken(code, waiting)), step))
            waiting = []
    return _taken(code, waiting)


def _taken(origin: Code, keys: Sequence[str | Run]) -> Code:
    """Return the code that takes steps which give one result each."""
    if not keys:
        return origin
    names = tuple(key for key in keys if isinstance(key, str))
    if isinstance(origin, Many):
        return Many(_each_at(origin.flow, tuple(keys)))
    if len(names) < len(keys):
        return One(_at(origin.run, tuple(keys)))
    return One(_dot_members(names) if origin.run is identity else _members(origin.run, names))


def _dot_members(names: tuple[str, ...]) -> Run:
    if len(names) == 1:
        name = names[0]

        def single(dot: Value, frame: Frame) -> Value:
            del frame
            return dot.get(name) if isinstance(dot, dict) else paths.member(dot, name)

        return single

    def run(dot: Value, frame: Frame) -> Value:
        del frame
        for name in names:
            dot = dot.get(name) if isinstance(dot, dict) else paths.member(dot, name)
        return dot

    return run


def _members(origin: Run, names: tuple[str, ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        value = origin(dot, frame)
        for name in names:
            value = value.get(name) if isinstance(value, dict) else paths.member(value, name)
        return value

    return run


def _known(keys: tuple[str | Run, ...], dot: Value, frame: Frame) -> list[Value]:
    """Return the keys in the order of the path, evaluated from the last to the first."""
    known: list[Value] = [key if isinstance(key, str) else key(dot, frame) for key in reversed(keys)]
    known.reverse()
    return known


def _at(origin: Run, keys: tuple[str | Run, ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        known = _known(keys, dot, frame)
        value = origin(dot, frame)
        for key in known:
            value = paths.at(value, key, frame)
        return value

    return run


def _each_at(origin: Flow, keys: tuple[str | Run, ...]) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        known = _known(keys, dot, frame)
        for value in origin(dot, frame):
            taken = value
            for key in known:
                taken = paths.at(taken, key, frame)
            yield taken

    return flow


def _many(target: Flow, step: StepCode) -> Flow:
    """Return the stream of one step; several keys are the outer loop, as in jq."""
    keys = _single_key if isinstance(step, EachCode) else flow_of(_key(step))
    each = isinstance(step, EachCode)

    def found(value: Value, key: Value, frame: Frame) -> list[Value]:
        try:
            return paths.elements(value) if each else [paths.at(value, key, frame)]
        except Stopped:
            raise
        except ExpressionFailed:
            if step.optional:
                return []
            raise

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for key in keys(dot, frame):
            for value in target(dot, frame):
                for item in found(value, key, frame):
                    frame.turn()
                    yield item

    return flow


def _key(step: MemberCode | AtCode) -> Code:
    if isinstance(step, AtCode):
        return step.key
    name = step.name
    return One(lambda _, __: name)


def _single_key(dot: Value, frame: Frame) -> Iterator[Value]:
    del dot, frame
    yield None
