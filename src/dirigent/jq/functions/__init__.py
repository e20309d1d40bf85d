"""The functions of jq that are total and bounded, by name and number of arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.code import Code, Many, One, Operation, Run
from dirigent.jq.evaluation.frame import Frame
from dirigent.jq.functions import arrays, flows, formats, objects, scalars, texts
from dirigent.model.values import SecretText, Value

PLAIN: Final[Mapping[str, Run]] = MappingProxyType(
    {**scalars.PLAIN, **texts.PLAIN, **arrays.PLAIN, **objects.PLAIN}
)
WITH_VALUE: Final[Mapping[str, Operation]] = MappingProxyType(
    {**scalars.WITH_VALUE, **texts.WITH_VALUE, **arrays.WITH_VALUE, **objects.WITH_VALUE}
)


def called(name: str, arguments: tuple[Code, ...]) -> Code:
    """Return the code of a call; `names.LOCAL` lists what may be asked for."""
    key = f"{name}/{len(arguments)}"
    if key in PLAIN:
        return One(PLAIN[key])
    if key in WITH_VALUE:
        return _with_value(WITH_VALUE[key], arguments[0])
    return flows.BUILT[key](arguments)


def formatted(name: str) -> Callable[[Value, Frame], str | SecretText]:
    """Return how a format (`@base64`) turns a value into text."""
    return formats.FORMATS[name]


def _with_value(function: Operation, argument: Code) -> Code:
    if isinstance(argument, One):
        run = argument.run
        return One(lambda dot, frame: function(dot, run(dot, frame), frame))
    flow = argument.flow

    def each(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in flow(dot, frame):
            yield function(dot, value, frame)

    return Many(each)
