"""Terms: what an operator stands between, with the steps (`.a`, `[0]`, `?`) behind it."""

from __future__ import annotations

from typing import assert_never

from dirigent.jq.grammar.constructs import object_construction, word
from dirigent.jq.grammar.reader import Reader
from dirigent.jq.grammar.strings import format_function, starts_string, string
from dirigent.jq.grammar.syntax import (
    At,
    Attempt,
    Collect,
    Each,
    Identity,
    Literal,
    Member,
    Node,
    Part,
    Path,
    Step,
    Variable,
)
from dirigent.jq.numbers import literal_number


def postfix(reader: Reader) -> Node:
    """Parse a term and every step behind it."""
    if reader.token.kind != "variable":
        return _steps(reader, _term(reader))
    name = reader.take().text
    inner = reader.scope.resolve(name)
    path = _steps(reader, Variable(inner))
    if inner == name:
        reader.scope.note(name, _taken(path))
    return path


def _taken(path: Node) -> tuple[str | None, ...]:
    """Return the steps that a path takes from its variable: names, or None for one that is not constant."""
    found: tuple[str | None, ...] = ()
    while True:
        match path:
            case Attempt(body):
                path = body
            case Path(origin, steps):
                found = (*(step.name if isinstance(step, Member) else None for step in steps), *found)
                path = origin
            case _:
                return found


def _steps(reader: Reader, origin: Node) -> Node:
    steps: list[Step] = []
    if isinstance(origin, Path) and origin.steps:
        steps.extend(origin.steps)
        origin = origin.origin
    elif isinstance(origin, Identity) and starts_string(reader):
        steps.append(_key_step(string(reader)))
    while True:
        if reader.token.kind == "field":
            steps.append(Member(reader.take().text))
        elif reader.sees("[") or (reader.sees(".") and reader.following.text == "["):
            reader.skip(".")
            steps.append(_bracket(reader))
        elif reader.sees(".") and reader.following.kind in ('open"', "format"):
            reader.take()
            steps.append(_key_step(string(reader)))
        elif reader.skip("?"):
            if steps and not steps[-1].optional:
                steps[-1] = _optional(steps[-1])
            else:
                origin, steps = Attempt(Path(origin, tuple(steps)) if steps else origin), []
        else:
            return Path(origin, tuple(steps)) if steps else origin


def _optional(step: Step) -> Step:
    """A question mark behind a step forgives that step alone; behind anything else it is a `try`."""
    match step:
        case Member(name):
            return Member(name, optional=True)
        case At(key):
            return At(key, optional=True)
        case Part(start, end):
            return Part(start, end, optional=True)
        case Each():
            return Each(optional=True)
        case _:
            assert_never(step)


def _key_step(key: Node) -> Step:
    if isinstance(key, Literal) and isinstance(key.value, str):
        return Member(key.value)
    return At(key)


def _bracket(reader: Reader) -> Step:
    reader.expect("[")
    if reader.skip("]"):
        return Each()
    if reader.skip(":"):
        end = reader.query()
        reader.expect("]")
        return Part(None, end)
    start = reader.query()
    if reader.skip("]"):
        return _key_step(start)
    reader.expect(":")
    end_of = None if reader.sees("]") else reader.query()
    reader.expect("]")
    return Part(start, end_of)


def _term(reader: Reader) -> Node:
    token = reader.token
    match token.kind:
        case "op":
            return _punctuation(reader)
        case "field":
            return Path(Identity(), (Member(reader.take().text),))
        case "number":
            return Literal(literal_number(reader.take().text))
        case "name":
            return word(reader)
        case _:
            if starts_string(reader):
                return string(reader)
            if token.kind == "format":
                return format_function(reader)
            raise reader.unexpected()


def _punctuation(reader: Reader) -> Node:
    if reader.skip("."):
        return Identity()
    if reader.skip(".."):
        return reader.foreign()
    if reader.skip("("):
        inner = reader.query()
        reader.expect(")")
        # A path in brackets is one term: `(.a.b)?` forgives more than `.a.b?` does.
        return Path(inner, ()) if isinstance(inner, Path) else inner
    if reader.skip("["):
        body = None if reader.sees("]") else reader.query()
        reader.expect("]")
        return Collect(body)
    if reader.sees("{"):
        return object_construction(reader)
    raise reader.unexpected()
