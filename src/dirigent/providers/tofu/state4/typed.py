"""Between the attributes of a state, which are JSON, and values of the types that a schema names.

Where any type is allowed a state says which it is; in a set the order means nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

from dirigent.model.values import Value
from dirigent.providers.tofu.schema.shape import Block, implied
from dirigent.providers.tofu.values.coding import type_of
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit, Path
from dirigent.providers.tofu.values.types import (
    DYNAMIC,
    Collection,
    Kind,
    NoType,
    Row,
    Structure,
    Type,
    described,
    read_type,
    write_type,
)

_Any: TypeAlias = Callable[[Value, Path], Value]


def read_attributes(block: Block, found: Mapping[str, Value]) -> dict[str, Value]:
    """Return the attributes of a state as values, every one present. Raises `Misfit`."""
    kind = implied(block)
    value = converted(_walked(dict(found), kind, _unwrapped, ()), kind)
    return value if isinstance(value, dict) else {}


def write_attributes(block: Block, attributes: Mapping[str, Value]) -> dict[str, Value]:
    """Return attributes as a state holds them; nothing may be hidden in them any more."""
    value = _walked(dict(attributes), implied(block), _wrapped, ())
    return value if isinstance(value, dict) else {}


def _walked(value: Value, given: Type, where_any: _Any, path: Path) -> Value:
    """Return a value with something else wherever its type allows any."""
    if value is None or given is DYNAMIC:
        return None if value is None else where_any(value, path)
    match given, value:
        case Structure(members), dict():
            return {
                name: _walked(each, members[name], where_any, (*path, name)) if name in members else each
                for name, each in value.items()
            }
        case Collection(Kind.MAP, element), dict():
            return {name: _walked(each, element, where_any, (*path, name)) for name, each in value.items()}
        case Collection(_, element), list():
            return [_walked(each, element, where_any, (*path, at)) for at, each in enumerate(value)]
        case Row(items), list() if len(items) == len(value):
            pairs = enumerate(zip(value, items, strict=True))
            return [_walked(each, kind, where_any, (*path, at)) for at, (each, kind) in pairs]
        case _:
            return value


def _unwrapped(value: Value, path: Path) -> Value:
    match value:
        case {"type": kind, "value": inner}:
            try:
                given = read_type(json.dumps(kind))
            except NoType as error:
                raise Misfit(path, str(error)) from None
            return converted(_walked(inner, given, _unwrapped, path), given, path)
        case _:
            raise Misfit(path, f"should be {described(DYNAMIC)} together with its type")


def _wrapped(value: Value, path: Path) -> Value:
    given = type_of(value)
    return {"value": _walked(value, given, _wrapped, path), "type": json.loads(write_type(given))}
