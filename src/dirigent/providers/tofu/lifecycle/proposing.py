"""The proposed new state: what a resource would be if its provider had nothing to add.

The configuration wins; where it leaves a computed attribute open, the prior value stands. Elements
of lists meet by index, those of maps by key, those of sets by all that a configuration says of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dirigent.model.values import Unknown, Value
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting, empty
from dirigent.providers.tofu.values.coding import canonical


def proposed(
    block: Block, prior: Mapping[str, Value] | None, config: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the proposed new state of a resource that shall stand. `prior` None: there is none yet."""
    return _block(block, empty(block) if prior is None else prior, config)


def _block(block: Block, prior: Mapping[str, Value], config: Mapping[str, Value]) -> dict[str, Value]:
    found = _attributes(block.attributes, prior, config)
    for name, nested in block.blocks.items():
        found[name] = _nested(nested, prior.get(name), config[name])
    return found


def _attributes(
    attributes: Mapping[str, Attribute], prior: Mapping[str, Value], config: Mapping[str, Value]
) -> dict[str, Value]:
    return {name: _attribute(each, prior.get(name), config[name]) for name, each in attributes.items()}


def _attribute(attribute: Attribute, prior: Value, config: Value) -> Value:
    if attribute.computed and config is None:
        # Where an optional object held what a configuration said, leaving it out takes that away.
        return None if attribute.optional and _was_written(attribute, prior) else prior
    if attribute.nested is None:
        return config
    inner = NestedBlock(attribute.name, Block(attribute.nested.attributes), attribute.nested.nesting)
    return _nested(inner, prior, config)


def _was_written(attribute: Attribute, prior: Value) -> bool:
    """Return whether a prior value of nested attributes holds one that only a configuration can have set."""
    if attribute.nested is None:
        return False
    return any(
        each.get(name) is not None and (not inner.computed or _was_written(inner, each.get(name)))
        for each in _elements(prior)
        for name, inner in attribute.nested.attributes.items()
    )


def _elements(value: Value) -> list[dict[str, Value]]:
    """Return the objects in a value of nested attributes, whatever its nesting."""
    match value:
        case list():
            return [each for each in value if isinstance(each, dict)]
        case dict() if value and all(isinstance(each, dict) for each in value.values()):
            return [value, *(each for each in value.values() if isinstance(each, dict))]
        case dict():
            return [value]
        case _:
            return []


def _nested(nested: NestedBlock, prior: Value, config: Value) -> Value:
    if config is None or isinstance(config, Unknown):
        return config
    match nested.nesting, config:
        case ((Nesting.SINGLE | Nesting.GROUP), dict()):
            return _one(nested.block, prior, config)
        case Nesting.MAP, dict():
            known = prior if isinstance(prior, dict) else {}
            return {key: _one(nested.block, known.get(key), each) for key, each in config.items()}
        case Nesting.LIST, list():
            past = prior if isinstance(prior, list) else []
            return [
                _one(nested.block, past[at] if at < len(past) else None, each)
                for at, each in enumerate(config)
            ]
        case Nesting.SET, list():
            return _set(nested.block, prior if isinstance(prior, list) else [], config)
        case _:
            return config


def _one(block: Block, prior: Value, config: Value) -> Value:
    if not isinstance(config, dict):
        return config
    return _block(block, prior if isinstance(prior, dict) else empty(block), config)


def _set(block: Block, prior: Sequence[Value], config: Sequence[Value]) -> Value:
    """Give each element the prior one that it may have come from; each of those serves once."""
    left = list(prior)
    found: list[Value] = []
    for each in config:
        match = next((past for past in left if _may_be(block, past, each)), None)
        if match is not None:
            left.remove(match)
        found.append(_one(block, match, each))
    return canonical(found)


def _may_be(block: Block, prior: Value, config: Value) -> bool:
    """Return whether a prior element differs only in what its configuration leaves to the provider."""
    if not isinstance(prior, dict) or not isinstance(config, dict):
        return prior == config
    attributes = all(
        _agrees(each, prior.get(name), config.get(name)) for name, each in block.attributes.items()
    )
    return attributes and all(
        _blocks_agree(nested, prior.get(name), config.get(name)) for name, nested in block.blocks.items()
    )


def _agrees(attribute: Attribute, prior: Value, config: Value) -> bool:
    if attribute.computed and config is None:
        return True
    if attribute.nested is None:
        return same(prior, config)
    inner = NestedBlock(attribute.name, Block(attribute.nested.attributes), attribute.nested.nesting)
    return _blocks_agree(inner, prior, config)


def _blocks_agree(nested: NestedBlock, prior: Value, config: Value) -> bool:
    match nested.nesting, prior, config:
        case ((Nesting.SINGLE | Nesting.GROUP), dict(), dict()):
            return _may_be(nested.block, prior, config)
        case Nesting.MAP, dict(), dict():
            return prior.keys() == config.keys() and all(
                _may_be(nested.block, prior[key], config[key]) for key in config
            )
        case ((Nesting.LIST | Nesting.SET), list(), list()):
            # Those of an inner set are compared in their order: a miss costs no more than a computed value.
            pairs = zip(prior, config, strict=False)
            return len(prior) == len(config) and all(_may_be(nested.block, *pair) for pair in pairs)
        case _:
            return same(prior, config)


def same(one: Value, other: Value) -> bool:
    """Return whether two values are equal; in Python true equals 1, here it does not.

    What is not known yet is the same whatever it waits for: no provider is told that.
    """
    match one, other:
        case Unknown(), Unknown():
            return True
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
        case _:
            return isinstance(one, bool) is isinstance(other, bool) and one == other
