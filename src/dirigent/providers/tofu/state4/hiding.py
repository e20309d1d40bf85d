"""What of an object may be seen, and what of it a configuration could have said.

Sensitive is what the schema calls so, and what the configuration marked when the object was made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from dirigent.model.values import SecretText, Value
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting, implied
from dirigent.providers.tofu.state4.document import Step, Steps
from dirigent.providers.tofu.values.types import DYNAMIC, Kind, Structure, Type
from dirigent.providers.tofu.values.types import Collection as Collected

Hide: TypeAlias = Callable[[Value], Value]
"""Gives what stands for a sensitive value: a secret, or for a collection one for each leaf."""

_Members: TypeAlias = dict[str, Value]


def hidden(block: Block, attributes: Mapping[str, Value], hide: Hide) -> _Members:
    """Return attributes with everything hidden that the schema calls sensitive."""
    return {name: _hidden_member(block, name, value, hide) for name, value in attributes.items()}


def hidden_at(attributes: _Members, path: Steps, hide: Hide) -> _Members:
    """Return attributes with the value at a path hidden, if there is one."""
    found = _hidden_at(attributes, path, hide) if path else attributes
    return found if isinstance(found, dict) else attributes


def without(value: Value, texts: Collection[str], hide: Hide) -> Value:
    """Return a value with every text in it hidden that holds one of these: what repeats a secret is one."""
    match value:
        case str():
            return hide(value) if any(text in value for text in texts) else value
        case list():
            return [without(each, texts, hide) for each in value]
        case dict():
            return {name: without(each, texts, hide) for name, each in value.items()}
        case _:
            return value


def settable(block: Block, attributes: Mapping[str, Value]) -> _Members:
    """Return what a configuration could have said: nothing unset, and nothing that the provider decides."""
    found = {name: _settable_member(block, name, value) for name, value in attributes.items()}
    return {name: value for name, value in found.items() if value is not None}


def marked(config: Value, block: Block) -> list[Steps]:
    """Return the paths at which a configuration holds a secret, as a state writes them."""
    return _marked(config, implied(block), ())


def _settable_member(block: Block, name: str, value: Value) -> Value:
    attribute, nested = block.attributes.get(name), block.blocks.get(name)
    if attribute is not None:
        return value if attribute.settable else None
    if nested is None:
        return value
    found = _each(nested.nesting, value, lambda one: settable(nested.block, one))
    return None if found in ([], {}) else found


def _hidden_member(block: Block, name: str, value: Value, hide: Hide) -> Value:
    attribute, nested = block.attributes.get(name), block.blocks.get(name)
    if attribute is not None:
        return _hidden_attribute(attribute, value, hide)
    if isinstance(nested, NestedBlock):
        return _each(nested.nesting, value, lambda one: hidden(nested.block, one, hide))
    return value


def _hidden_attribute(attribute: Attribute, value: Value, hide: Hide) -> Value:
    if attribute.sensitive:
        return value if value is None or isinstance(value, SecretText) else hide(value)
    if attribute.nested is None:
        return value
    inner = Block(attribute.nested.attributes)
    return _each(attribute.nested.nesting, value, lambda one: hidden(inner, one, hide))


def _each(nesting: Nesting, value: Value, change: Callable[[_Members], _Members]) -> Value:
    """Return what stands for a nested block with every object in it changed."""
    match nesting, value:
        case ((Nesting.SINGLE | Nesting.GROUP), dict()):
            return change(value)
        case Nesting.MAP, dict():
            return {key: change(each) if isinstance(each, dict) else each for key, each in value.items()}
        case _, list():
            return [change(each) if isinstance(each, dict) else each for each in value]
        case _:
            return value


def _hidden_at(value: Value, path: Steps, hide: Hide) -> Value:
    if not path:
        return value if value is None or isinstance(value, SecretText) else hide(value)
    step, *rest = path
    match value:
        case dict() if step.at in value:
            name = str(step.at)
            return {**value, name: _hidden_at(value[name], tuple(rest), hide)}
        case list() if isinstance(step.at, int) and 0 <= step.at < len(value):
            changed = _hidden_at(value[step.at], tuple(rest), hide)
            return [*value[: step.at], changed, *value[step.at + 1 :]]
        case _:
            return value


def _marked(value: Value, given: Type, path: Steps) -> list[Steps]:
    match value, given:
        case SecretText(), _:
            return [path]
        case dict(), Collected(Kind.LIST | Kind.SET):
            # One block may be written without the list around it.
            return _marked([value], given, path)
        case list(), Collected(Kind.SET, element):
            # The element would be its own key: the whole set is meant.
            return [path] if any(_marked(each, element, path) for each in value) else []
        case dict(), _:
            inner = [(_step(name, given), each, _inner(given, name)) for name, each in value.items()]
        case list(), _:
            inner = [(Step(at, index=True), each, _inner(given, "")) for at, each in enumerate(value)]
        case _:
            return []
    return [found for step, each, kind in inner for found in _marked(each, kind, (*path, step))]


def _step(name: str, given: Type) -> Step:
    return Step(name, index=not isinstance(given, Structure))


def _inner(given: Type, name: str) -> Type:
    match given:
        case Structure(members):
            return members.get(name, DYNAMIC)
        case Collected(_, element):
            return element
        case _:
            return DYNAMIC
