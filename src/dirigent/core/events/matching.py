"""Whether an event is what somebody waits for: the one rule of `listen` and of `schedule.on`.

`wanted` (or `plain`, without a run) makes of a strategy what is waited for, `match` judges one event,
`narrowed` says what is waited for after it, `satisfied` whether that is nothing. The same event always gets
the same answer. Law: what does not match now does not match after a narrowing either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias, assert_never

from dirigent.core.render import Asking, RenderFailed, render
from dirigent.model.events.listening import Event, Link, Match, Quorum, Sought, Strategy, Test, Want
from dirigent.model.events.pattern import compiled, is_pattern
from dirigent.model.fault import Fault
from dirigent.model.record import dataclass
from dirigent.model.run.command import Question
from dirigent.model.values import Expression, Template, Value
from dirigent.ports import Language

TYPE: Final = "type"
NO_ANSWERS: Final[Mapping[str, tuple[Value | Fault, ...]]] = {}

Answers: TypeAlias = "Mapping[str, tuple[Value | Fault, ...]]"
"""What the expression worker said to the questions of each slot."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The event cannot be judged before the expression worker has answered these, under this slot."""

    slot: str
    questions: tuple[Question, ...]


class _Needed(Exception):
    def __init__(self, needs: Needs) -> None:
        super().__init__(needs.slot)
        self.needs = needs


def wanted(strategy: Strategy, sought: tuple[Sought, ...], keys: dict[str, Value]) -> Want:
    """Return what a strategy waits for at first. `sought` are its filters, then those that end it."""
    count = max(1, len(strategy.filters))
    numbers = tuple(range(len(sought)))
    until = strategy.until.quorum if isinstance(strategy.until, Strategy) else None
    endless = isinstance(strategy.until, Expression)
    return Want(strategy.quorum, sought, numbers[:count], until, numbers[count:], keys, endless)


def plain(strategy: Strategy) -> Want:
    """Return what a strategy waits for whose expressions see no variables: that of a schedule, not of a run.

    An `expect` that is computed does not belong there; it is taken as it is written.
    """
    filters = [*(strategy.filters or (None,))]
    if isinstance(strategy.until, Strategy):
        filters += strategy.until.filters or (None,)
    sought, keys = [], dict[str, Value]()
    for each in filters:
        tests = tuple(Test(name, value) for name, value in each.attributes.items()) if each else ()
        links = tuple(Link(name, link.source) for name, link in each.correlate.items()) if each else ()
        sought.append(Sought(tests, links))
        for name, link in each.correlate.items() if each else ():
            if link.expected and not isinstance(link.expect, Expression | list | dict):
                keys.setdefault(name, _constant(link.expect))
    return wanted(strategy, tuple(sought), keys)


def _constant(template: Template) -> Value:
    return template if isinstance(template, str | int | float | bool) else None


def match(
    want: Want, event: Event, language: Language, answers: Answers = NO_ANSWERS
) -> Match | Needs | None:
    """Return which filter an event fits, the ending ones first, then in order; None if it fits none.

    What `Needs` asks for is to be answered under its slot, together with all answers before. An expression
    that fails on an event does not fit it.
    """
    try:
        for number in (*want.closing, *want.open):
            keys = _fits(want, number, event, language, answers)
            if keys is not None:
                return Match(number, keys)
    except _Needed as needed:
        return needed.needs
    return None


def narrowed(want: Want, found: Match) -> Want:
    """Return what is waited for once an event was taken."""
    keys = {**found.keys, **want.keys}
    number = found.number
    if number in want.closing:
        left = () if want.until is not Quorum.ALL else tuple(n for n in want.closing if n != number)
        return replace(want, closing=left, keys=keys, open=want.open if left else ())
    if want.quorum is Quorum.ALL:
        return replace(want, open=tuple(n for n in want.open if n != number), keys=keys)
    return replace(want, keys=keys)


def closes(want: Want, found: Match) -> bool:
    """Return whether an event is one that ends the listening, or helps to: it does not count."""
    return found.number in want.closing


def satisfied(want: Want, taken: int) -> bool:
    """Return whether nothing more is waited for after `taken` events; a condition is asked apart."""
    if not want.open:
        return True
    match want.quorum:
        case Quorum.ONE:
            return taken > 0
        case Quorum.ANY:
            return taken > 0 and want.until is None and not want.endless
        case Quorum.ALL:
            return False
        case _:
            assert_never(want.quorum)


def types(want: Want) -> frozenset[str] | None:
    """Return the only types of events that can match, or None when events of any type may."""
    found = set()
    for number in (*want.open, *want.closing):
        literal = next(filter(None, map(_literal, want.sought[number].tests)), None)
        if literal is None:
            return None
        found.add(literal)
    return frozenset(found)


def _literal(test: Test) -> str | None:
    """Return the one type that a test lets pass, if it is such a test."""
    if test.attribute != TYPE or not isinstance(test.wanted, str):
        return None
    return test.wanted if test.exact or not is_pattern(test.wanted) else None


def _fits(
    want: Want, number: int, event: Event, language: Language, answers: Answers
) -> dict[str, Value] | None:
    """Return the correlations that an event gives to a filter, None when it does not fit."""
    sought = want.sought[number]
    # What costs least is asked first.
    for test in sorted(sought.tests, key=_cost):
        if not _passes(test, f"{number}/{test.attribute}", event, language, answers):
            return None
    keys: dict[str, Value] = {}
    for link in sought.links:
        value = _rendered(link.source, event, link.variables, f"{number}//{link.name}", language, answers)
        if isinstance(value, Fault) or value is None:
            return None
        if link.name in want.keys and not equal(value, want.keys[link.name]):
            return None
        keys[link.name] = value
    return keys


def _cost(test: Test) -> int:
    return (not isinstance(test.wanted, str)) + (test.attribute == "data")


def _passes(test: Test, slot: str, event: Event, language: Language, answers: Answers) -> bool:
    if test.attribute not in event:
        return False
    seen = event[test.attribute]
    if isinstance(test.wanted, str):
        if test.wanted == seen:
            return True
        return (
            not test.exact
            and isinstance(seen, str)
            and is_pattern(test.wanted)
            and compiled(test.wanted).matches(seen)
        )
    found = _rendered(test.wanted, seen, test.variables, slot, language, answers)
    if isinstance(found, Fault):
        return False
    if isinstance(test.wanted, Expression) and isinstance(found, bool):
        return found
    return equal(found, seen)


def _rendered(
    template: Template,
    dot: Value,
    variables: Mapping[str, Value],
    slot: str,
    language: Language,
    answers: Answers,
) -> Value | Fault:
    try:
        value = render(template, dot, variables, language, answers.get(slot))
    except RenderFailed as failure:
        return Fault("", 400, detail=str(failure))
    if isinstance(value, Asking):
        raise _Needed(Needs(slot, value.questions))
    return value


def equal(one: Value, other: Value) -> bool:
    """Return whether two values are equal as JSON: `true` is not 1, and 1.0 is."""
    for left, right in _pairs(one, other):
        if isinstance(left, bool) is not isinstance(right, bool):
            return False
        if isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
        elif isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
        elif left != right:
            return False
    return True


def _pairs(one: Value, other: Value) -> Iterator[tuple[Value, Value]]:
    """Yield two values, and what lies at the same places in both, without recursion."""
    todo: list[tuple[Value, Value]] = [(one, other)]
    for left, right in todo:
        yield left, right
        if isinstance(left, list) and isinstance(right, list):
            todo.extend(zip(left, right, strict=False))
        elif isinstance(left, dict) and isinstance(right, dict):
            todo.extend((left[name], right[name]) for name in left if name in right)
