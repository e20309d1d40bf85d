"""What a person wrote under `with` becomes the configuration that a provider takes; all misfits at once.

Blocks are written as their names: a list of objects, one object where one is meant, an object of objects
for a map. Computed attributes cannot be set, required ones must be.
"""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.model.values import Unknown, Value
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting, empty_of
from dirigent.providers.tofu.values.coding import canonical
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit, Path


def configured(
    block: Block, given: Mapping[str, Value], path: Path = ()
) -> tuple[dict[str, Value], list[Misfit]]:
    """Return the configuration of a block, every member present, and what does not fit it."""
    found: dict[str, Value] = {}
    odd: list[Misfit] = [
        Misfit((*path, name), f"is not known here; {_offer(block)}")
        for name in given
        if name not in block.attributes and name not in block.blocks
    ]
    for name, attribute in block.attributes.items():
        found[name] = _attribute(attribute, given.get(name), (*path, name), odd)
    for name, nested in block.blocks.items():
        found[name] = _blocks(nested, given.get(name), (*path, name), odd)
    return found, odd


def _offer(block: Block) -> str:
    known = [name for name, each in block.attributes.items() if each.settable]
    listed = ", ".join(f"`{name}`" for name in (*known, *block.blocks))
    return f"there are {listed}" if listed else "there is nothing to set"


def _attribute(attribute: Attribute, value: Value, path: Path, odd: list[Misfit]) -> Value:
    if value is None:
        if attribute.required:
            odd.append(Misfit(path, "must be set"))
        return None
    if not attribute.settable:
        odd.append(Misfit(path, "is decided by the provider and cannot be set"))
        return None
    if attribute.nested is not None and not isinstance(value, Unknown):
        nested = NestedBlock(attribute.name, Block(attribute.nested.attributes), attribute.nested.nesting)
        return _blocks(nested, value, path, odd, sugared=False)
    try:
        return converted(value, attribute.type, path)
    except Misfit as misfit:
        odd.append(misfit)
        return None


def _blocks(
    nested: NestedBlock, value: Value, path: Path, odd: list[Misfit], *, sugared: bool = True
) -> Value:
    if isinstance(value, Unknown):
        return value
    if value is None and nested.least:
        odd.append(Misfit(path, "must be set"))
    match nested.nesting, value:
        case ((Nesting.SINGLE | Nesting.GROUP), dict()):
            return _one(nested, value, path, odd)
        case Nesting.MAP, dict():
            return {key: _one(nested, each, (*path, key), odd) for key, each in sorted(value.items())}
        case ((Nesting.LIST | Nesting.SET), dict()) if sugared:
            return [_one(nested, value, path, odd)]
        case ((Nesting.LIST | Nesting.SET), list()):
            _count(nested, len(value), path, odd)
            items = [_one(nested, each, (*path, at), odd) for at, each in enumerate(value)]
            return canonical(items) if nested.nesting is Nesting.SET else items
        case _:
            if value is not None:
                odd.append(Misfit(path, f"should be {_wanted(nested.nesting)}"))
            return empty_of(nested)


def _one(nested: NestedBlock, value: Value, path: Path, odd: list[Misfit]) -> Value:
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, dict):
        odd.append(Misfit(path, "should be an object"))
        return None
    found, more = configured(nested.block, value, path)
    odd += more
    return found


def _count(nested: NestedBlock, count: int, path: Path, odd: list[Misfit]) -> None:
    if count < nested.least:
        odd.append(Misfit(path, f"must stand at least {nested.least} times"))
    if nested.most and count > nested.most:
        odd.append(Misfit(path, f"may stand at most {nested.most} times"))


def _wanted(nesting: Nesting) -> str:
    match nesting:
        case Nesting.SINGLE | Nesting.GROUP:
            return "an object"
        case Nesting.MAP:
            return "an object of objects"
        case Nesting.LIST | Nesting.SET:
            return "a list of objects"
