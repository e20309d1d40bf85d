"""Paths: an origin and the steps from it, with the plainest ones as single closures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from dirigent.jq.evaluation import paths
from dirigent.jq.evaluation.code import Code, Flow, Many, One, Run, flow_of
from dirigent.jq.evaluation.frame import Frame, Stopped
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed


@dataclass(frozen=True, slots=True)
class AtCode:
    """`[key]` with its key compiled."""

    key: Code
    optional: bool


@dataclass(frozen=True, slots=True)
class PartCode:
    """`[start:end]` with its bounds compiled."""

    start: Code
    end: Code
    optional: bool


@dataclass(frozen=True, slots=True)
class EachCode:
    """`[]`."""

    optional: bool


@dataclass(frozen=True, slots=True)
class MemberCode:
    """`.name?`."""

    name: str


StepCode: TypeAlias = AtCode | PartCode | EachCode | MemberCode


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


def members(origin: Code, names: tuple[str, ...]) -> Code:
    """Return the code that takes one member after the other."""
    if isinstance(origin, Many):
        return Many(_each_members(origin.flow, names))
    if origin.run is identity:
        return One(_dot_members(names))
    return One(_run_members(origin.run, names))


def step(target: Code, taken: StepCode) -> Code:
    """Return the code that takes one more step; several keys are the outer loop, as in jq."""
    match taken:
        case EachCode(optional):
            return Many(_each(flow_of(target), optional=optional))
        case MemberCode(name):
            return Many(_forgiving_member(flow_of(target), name))
        case AtCode(One(key), False) if isinstance(target, One):
            return One(_at(target.run, key))
        case AtCode(key, optional):
            return Many(_at_each(flow_of(target), flow_of(key), optional=optional))
        case PartCode(One(start), One(end), False) if isinstance(target, One):
            return One(_part(target.run, start, end))
        case PartCode(start, end, optional):
            return Many(_part_each(flow_of(target), (flow_of(start), flow_of(end)), optional=optional))


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


def _run_members(origin: Run, names: tuple[str, ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        value = origin(dot, frame)
        for name in names:
            value = value.get(name) if isinstance(value, dict) else paths.member(value, name)
        return value

    return run


def _each_members(origin: Flow, names: tuple[str, ...]) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in origin(dot, frame):
            taken = value
            for name in names:
                taken = paths.member(taken, name)
            yield taken

    return flow


def _each(target: Flow, *, optional: bool) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in target(dot, frame):
            try:
                found = paths.elements(value)
            except Stopped:
                raise
            except ExpressionFailed:
                if optional:
                    continue
                raise
            for item in found:
                frame.turn()
                yield item

    return flow


def _forgiving_member(target: Flow, name: str) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in target(dot, frame):
            try:
                found = paths.member(value, name)
            except Stopped:
                raise
            except ExpressionFailed:
                continue
            yield found

    return flow


def _at(target: Run, key: Run) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        wanted = key(dot, frame)
        return paths.at(target(dot, frame), wanted, frame)

    return run


def _at_each(target: Flow, key: Flow, *, optional: bool) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for wanted in key(dot, frame):
            for value in target(dot, frame):
                try:
                    found = paths.at(value, wanted, frame)
                except Stopped:
                    raise
                except ExpressionFailed:
                    if optional:
                        continue
                    raise
                yield found

    return flow


def _part(target: Run, start: Run, end: Run) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        first = start(dot, frame)
        last = end(dot, frame)
        return paths.part(target(dot, frame), first, last, frame)

    return run


def _part_each(target: Flow, bounds: tuple[Flow, Flow], *, optional: bool) -> Flow:
    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for first in bounds[0](dot, frame):
            for last in bounds[1](dot, frame):
                for value in target(dot, frame):
                    try:
                        found = paths.part(value, first, last, frame)
                    except Stopped:
                        raise
                    except ExpressionFailed:
                        if optional:
                            continue
                        raise
                    yield found

    return flow
