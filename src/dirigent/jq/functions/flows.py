"""Functions that take expressions: filters, loops over elements, sorting by keys, ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from dirigent.jq.evaluation.code import Code, Flow, Many, One, Run, flow_of
from dirigent.jq.evaluation.constructing import collected
from dirigent.jq.evaluation.frame import Frame, Undetermined
from dirigent.jq.evaluation.order import compare, places_in_order, truth
from dirigent.jq.evaluation.paths import elements, refusal
from dirigent.jq.evaluation.shown import kind, shown
from dirigent.jq.functions.arrays import array, extreme, total
from dirigent.jq.functions.objects import contains, from_entries, has, to_entries
from dirigent.jq.numbers import settle
from dirigent.model.values import SecretText, Unknown, Value

Build: TypeAlias = Callable[[tuple[Code, ...]], Code]
_Grouped: TypeAlias = tuple[list[Value], list[Value]]


def _empty() -> Code:
    return Many(lambda _, __: iter(()))


def _map(body: Code) -> Code:
    """`map(f)`: collected, so that an unknown member makes the whole array unknown."""
    flow = flow_of(body)

    def each(dot: Value, frame: Frame) -> Iterator[Value]:
        for item in elements(dot):
            frame.turn()
            yield from flow(item, frame)

    def single(dot: Value, frame: Frame) -> Value:
        made: list[Value] = []
        for item in elements(dot):
            frame.turn()
            try:
                made.append(run(item, frame))
            except Undetermined as reason:
                made.append(reason.value())
        return made

    if isinstance(body, One):
        run: Run = body.run
        return One(single)
    return _filtered(body.keeps) if body.keeps else collected(Many(each))


def _filtered(keeps: Run) -> Code:
    """`map(select(f))`, without a stream for each element."""

    def run(dot: Value, frame: Frame) -> Value:
        made: list[Value] = []
        for item in elements(dot):
            frame.turn()
            try:
                kept = truth(keeps(item, frame))
            except Undetermined as reason:
                return reason.value()
            if kept:
                made.append(item)
        return made

    return One(run)


def _select(condition: Code) -> Code:
    flow = flow_of(condition)

    def chosen(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in flow(dot, frame):
            if truth(value):
                yield dot

    return Many(chosen, condition.run if isinstance(condition, One) else None)


def _of_kind(test: Callable[[Value], bool]) -> Callable[[], Code]:
    def chosen(dot: Value, frame: Frame) -> Iterator[Value]:
        del frame
        if isinstance(dot, Unknown | SecretText):
            raise refusal(dot, "")
        if test(dot):
            yield dot

    return lambda: Many(chosen)


def _quantified(generator: Code | None, condition: Code, *, decisive: bool) -> Code:
    """`any` and `all`: stops at the first result that decides."""
    items: Flow = flow_of(generator) if generator else _each_element
    test = flow_of(condition)

    def run(dot: Value, frame: Frame) -> Value:
        for item in items(dot, frame):
            for value in test(item, frame):
                if truth(value) == decisive:
                    return decisive
        return not decisive

    return One(run)


def _each_element(dot: Value, frame: Frame) -> Iterator[Value]:
    for item in elements(dot):
        frame.turn()
        yield item


def _first(body: Code) -> Code:
    flow = flow_of(body)

    def run(dot: Value, frame: Frame) -> Iterator[Value]:
        for value in flow(dot, frame):
            yield value
            return

    return Many(run)


def _last(body: Code) -> Code:
    flow = flow_of(body)

    def run(dot: Value, frame: Frame) -> Iterator[Value]:
        values: list[Value] = []
        for value in flow(dot, frame):
            values = [value]
        yield from values

    return Many(run)


def _is_empty(body: Code) -> Code:
    flow = flow_of(body)

    def run(dot: Value, frame: Frame) -> Value:
        return all(False for _ in flow(dot, frame))

    return One(run)


def _sum(body: Code) -> Code:
    flow = flow_of(body)
    return One(lambda dot, frame: total(list(flow(dot, frame)), frame))


def _keyed(by: Code, words: str) -> Callable[[Value, Frame], _Grouped]:
    """Return what gives the elements and their keys; a key of several results is their array."""
    flow = flow_of(by)
    single = by.run if isinstance(by, One) else None

    def run(dot: Value, frame: Frame) -> _Grouped:
        keys: list[Value] = []
        for item in elements(dot):
            frame.turn()
            # An array of one compares as its element does.
            keys.append(single(item, frame) if single else list(flow(item, frame)))
        return array(dot, words), keys

    return run


def _sort_by(by: Code) -> Code:
    keyed = _keyed(by, "cannot be sorted, as it is not an array")

    def run(dot: Value, frame: Frame) -> Value:
        values, keys = keyed(dot, frame)
        return [values[place] for place in places_in_order(keys, frame)]

    return One(run)


def _groups(by: Code, words: str) -> Callable[[Value, Frame], list[list[Value]]]:
    keyed = _keyed(by, words)

    def run(dot: Value, frame: Frame) -> list[list[Value]]:
        values, keys = keyed(dot, frame)
        made: list[list[Value]] = []
        before: Value = None
        for place in places_in_order(keys, frame):
            if made and compare(before, keys[place], frame) == 0:
                made[-1].append(values[place])
            else:
                made.append([values[place]])
                before = keys[place]
        return made

    return run


def _group_by(by: Code) -> Code:
    groups = _groups(by, "cannot be grouped, as it is not an array")
    return One(lambda dot, frame: list(groups(dot, frame)))


def _unique_by(by: Code) -> Code:
    groups = _groups(by, "cannot be grouped, as it is not an array")
    return One(lambda dot, frame: [group[0] for group in groups(dot, frame)])


def _extreme_by(by: Code, *, greatest: bool) -> Code:
    keyed = _keyed(by, "cannot be iterated over")

    def run(dot: Value, frame: Frame) -> Value:
        values, keys = keyed(dot, frame)
        return extreme(values, keys, frame, greatest=greatest)

    return One(run)


def _with_entries(body: Code) -> Code:
    changed = _map(body)
    run: Run = changed.run if isinstance(changed, One) else to_entries
    return One(lambda dot, frame: from_entries(run(to_entries(dot, frame), frame), frame))


def _range(start: Code, end: Code) -> Code:
    starts, ends = flow_of(start), flow_of(end)

    def flow(dot: Value, frame: Frame) -> Iterator[Value]:
        for first in starts(dot, frame):
            for last in ends(dot, frame):
                number, bound = _bound(first), _bound(last)
                while number < bound:
                    frame.turn()
                    yield number
                    number = settle(number + 1)

    return Many(flow)


def _bound(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal(value, f"range bounds must be numeric, not {shown(value)}")
    return value


def _turned(function: Callable[[Value, Value, Frame], Value]) -> Callable[[Code], Code]:
    """`in` and `inside`: the dot is looked for in each result of the argument."""

    def build(body: Code) -> Code:
        flow = flow_of(body)

        def run(dot: Value, frame: Frame) -> Iterator[Value]:
            for value in flow(dot, frame):
                yield function(value, dot, frame)

        return Many(run)

    return build


def _none(build: Callable[[], Code]) -> Build:
    return lambda _: build()


def _unary(build: Callable[[Code], Code]) -> Build:
    return lambda arguments: build(arguments[0])


def _binary(build: Callable[[Code, Code], Code]) -> Build:
    return lambda arguments: build(arguments[0], arguments[1])


BUILT: Final[Mapping[str, Build]] = MappingProxyType(
    {
        "empty/0": _none(_empty),
        "map/1": _unary(_map),
        "select/1": _unary(_select),
        "any/1": _unary(lambda condition: _quantified(None, condition, decisive=True)),
        "all/1": _unary(lambda condition: _quantified(None, condition, decisive=False)),
        "any/2": _binary(lambda generator, condition: _quantified(generator, condition, decisive=True)),
        "all/2": _binary(lambda generator, condition: _quantified(generator, condition, decisive=False)),
        "first/1": _unary(_first),
        "last/1": _unary(_last),
        "isempty/1": _unary(_is_empty),
        "add/1": _unary(_sum),
        "sort_by/1": _unary(_sort_by),
        "group_by/1": _unary(_group_by),
        "unique_by/1": _unary(_unique_by),
        "min_by/1": _unary(lambda by: _extreme_by(by, greatest=False)),
        "max_by/1": _unary(lambda by: _extreme_by(by, greatest=True)),
        "with_entries/1": _unary(_with_entries),
        "range/1": _unary(lambda end: _range(One(lambda _, __: 0), end)),
        "range/2": _binary(_range),
        "in/1": _unary(_turned(has)),
        "inside/1": _unary(_turned(contains)),
        "values/0": _none(_of_kind(lambda value: value is not None)),
        "nulls/0": _none(_of_kind(lambda value: value is None)),
        "booleans/0": _none(_of_kind(lambda value: isinstance(value, bool))),
        "numbers/0": _none(_of_kind(lambda value: kind(value) == "number")),
        "strings/0": _none(_of_kind(lambda value: isinstance(value, str))),
        "arrays/0": _none(_of_kind(lambda value: isinstance(value, list))),
        "objects/0": _none(_of_kind(lambda value: isinstance(value, dict))),
        "iterables/0": _none(_of_kind(lambda value: isinstance(value, list | dict))),
        "scalars/0": _none(_of_kind(lambda value: not isinstance(value, list | dict))),
    }
)
