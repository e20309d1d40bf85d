"""Between values and the JSON in which the protocol carries states: where any type is allowed, it says which.

What does not fit the type is left as it is: a state of an earlier release need not fit today's.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from dirigent.model.values import Value
from dirigent.providers.tofu.values.coding import type_of
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.types import (
    DYNAMIC,
    Collection,
    Kind,
    NoType,
    Primitive,
    Row,
    Structure,
    Type,
    read_type,
    write_type,
)


def stored(value: Value, given: Type) -> Value:
    """Return a value as a state holds it."""
    if value is None:
        return None
    if given is DYNAMIC:
        kind = type_of(value)
        return {"value": stored(value, kind), "type": json.loads(write_type(kind))}
    return _below(value, given, stored)


def restored(value: Value, given: Type) -> Value:
    """Return what a state holds as a value of a type. Raises `Misfit`."""
    return converted(_untagged(value, given), given)


def _untagged(value: Value, given: Type) -> Value:
    match given, value:
        case Primitive.DYNAMIC, {"value": inner, "type": kind}:
            try:
                return _untagged(inner, read_type(json.dumps(kind)))
            except NoType as error:
                raise Misfit((), str(error)) from None
        case _:
            return _below(value, given, _untagged)


def _below(value: Value, given: Type, act: Callable[[Value, Type], Value]) -> Value:
    """Return the value with each of its parts that has a type changed by `act`."""
    match given, value:
        case Collection(Kind.MAP, element), dict():
            return {name: act(each, element) for name, each in value.items()}
        case Collection(_, element), list():
            return [act(each, element) for each in value]
        case Structure(members), dict():
            return {
                name: act(each, members[name]) if name in members else each for name, each in value.items()
            }
        case Row(items), list() if len(items) == len(value):
            return [act(each, kind) for each, kind in zip(value, items, strict=True)]
        case _:
            return value
