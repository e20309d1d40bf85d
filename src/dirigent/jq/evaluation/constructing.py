"""Strings with interpolation, arrays and objects. An unknown leaf stays a leaf; the rest is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from dirigent.jq.evaluation.code import Code, Flow, Many, One, Run, bounded, flow_of
from dirigent.jq.evaluation.frame import Frame, Undetermined
from dirigent.jq.evaluation.paths import refusal
from dirigent.jq.evaluation.shown import joined, shown, text_of
from dirigent.model.values import SecretText, Unknown, Value

Shape: TypeAlias = Callable[[Value, Frame], "str | SecretText"]


def interpolated(parts: Sequence[str | Code], shape: Shape) -> Code:
    """Return the code of a string; `shape` turns each interpolated value into text."""
    single: list[str | Run] = []
    for part in parts:
        if isinstance(part, Many):
            bounded(len(parts), "parts of a string")
            return Many(_texts(tuple(parts), shape))
        single.append(part.run if isinstance(part, One) else part)
    return One(_text(tuple(single), shape))


def _text(parts: tuple[str | Run, ...], shape: Shape) -> Run:
    plain = shape is text_of
    backwards = tuple(reversed(parts))

    def run(dot: Value, frame: Frame) -> Value:
        pieces: list[str | SecretText] = []
        unknown: list[Unknown] = []
        for part in backwards:
            if isinstance(part, str):
                pieces.append(part)
                continue
            try:
                value = part(dot, frame)
                pieces.append(value if plain and isinstance(value, str) else shape(value, frame))
            except Undetermined as reason:
                unknown.append(reason.value())
        if unknown:
            raise Undetermined(*reversed(unknown))
        pieces.reverse()
        return joined(pieces, frame)

    return run


def _texts(parts: tuple[str | Code, ...], shape: Shape) -> Flow:
    """The last part is the outermost loop, as in jq."""

    def before(last: int, dot: Value, frame: Frame) -> Iterator[list[str | SecretText]]:
        if last < 0:
            yield []
            return
        part = parts[last]
        if isinstance(part, str):
            for pieces in before(last - 1, dot, frame):
                yield [*pieces, part]
            return
        for value in flow_of(part)(dot, frame):
            text = shape(value, frame)
            for pieces in before(last - 1, dot, frame):
                frame.turn()
                yield [*pieces, text]

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for pieces in before(len(parts) - 1, dot, frame):
            yield joined(pieces, frame)

    return flow


def collected(body: Code) -> Code:
    """Return the code of `[body]`."""
    if isinstance(body, One):
        return listed((body.run,))
    flow = body.flow

    def run(dot: Value, frame: Frame) -> Value:
        try:
            return list(flow(dot, frame))
        except Undetermined as reason:
            return reason.value()

    return One(run)


def listed(bodies: tuple[Run, ...]) -> Code:
    """Return the code of `[a, b, c]`, each with one result: an unknown one leaves the others known."""

    def run(dot: Value, frame: Frame) -> Value:
        made: list[Value] = []
        for body in bodies:
            try:
                made.append(body(dot, frame))
            except Undetermined as reason:
                made.append(reason.value())
        return made

    return One(run)


def built(entries: Sequence[tuple[Code, Code]], constant: Sequence[str | None]) -> Code:
    """Return the code of an object; `constant` has the keys that are known when compiling."""
    fixed: list[tuple[str, Run]] = []
    single: list[tuple[Run, Run]] = []
    for (key, value), name in zip(entries, constant, strict=True):
        if isinstance(value, Many) or isinstance(key, Many):
            bounded(len(entries), "entries of an object")
            return Many(_objects(tuple((flow_of(k), flow_of(v)) for k, v in entries)))
        single.append((key.run, value.run))
        if name is not None:
            fixed.append((name, value.run))
    return One(_fixed_object(tuple(fixed)) if len(fixed) == len(entries) else _object(tuple(single)))


def _fixed_object(entries: tuple[tuple[str, Run], ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        made: dict[str, Value] = {}
        for name, value in entries:
            try:
                made[name] = value(dot, frame)
            except Undetermined as reason:
                made[name] = reason.value()
        return made

    return run


def _object(entries: tuple[tuple[Run, Run], ...]) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        made: dict[str, Value] = {}
        for key, value in entries:
            name = _name(key(dot, frame))
            try:
                made[name] = value(dot, frame)
            except Undetermined as reason:
                made[name] = reason.value()
        return made

    return run


def _objects(entries: tuple[tuple[Flow, Flow], ...]) -> Flow:
    """The first entry is the outermost loop, as in jq."""

    def fill(index: int, made: dict[str, Value], dot: Value, frame: Frame) -> Iterator[Value]:
        if index == len(entries):
            yield made
            return
        key, value = entries[index]
        for name in key(dot, frame):
            for item in value(dot, frame):
                frame.turn()
                yield from fill(index + 1, {**made, _name(name): item}, dot, frame)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        yield from fill(0, {}, dot, frame)

    return flow


def _name(key: Value) -> str:
    if isinstance(key, str):
        return key
    raise refusal(key, f"cannot use {shown(key)} as the key of an object")
