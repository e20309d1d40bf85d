"""What a person wrote becomes a value of a type: every member present, texts and numbers interchanged.

The conversions are those of OpenTofu: a number or a truth value may stand for its text and the other
way round, a list for a set or a tuple, and what is left out is null.
"""

from __future__ import annotations

from typing import Final

from dirigent.model.values import SecretText, Unknown, Value
from dirigent.providers.tofu.values.coding import canonical, number_of, type_of
from dirigent.providers.tofu.values.paths import Misfit, Path
from dirigent.providers.tofu.values.types import (
    Collection,
    Kind,
    Primitive,
    Row,
    Structure,
    Type,
    described,
)

_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def converted(value: Value, given: Type, path: Path = ()) -> Value:
    """Return the value as one of a type. Raises `Misfit` with the path of what does not fit."""
    if value is None or isinstance(value, Unknown):
        return value
    match given:
        case Primitive():
            return _primitive(value, given, path)
        case Collection(Kind.MAP, element) if isinstance(value, dict):
            return {name: converted(value[name], element, (*path, name)) for name in sorted(value)}
        case Collection(kind, element) if isinstance(value, list) and kind is not Kind.MAP:
            items = [converted(each, element, (*path, at)) for at, each in enumerate(value)]
            return canonical(items) if kind is Kind.SET else items
        case Structure() if isinstance(value, dict):
            return _structure(value, given, path)
        case Row(items) if isinstance(value, list) and len(value) == len(items):
            pairs = enumerate(zip(value, items, strict=True))
            return [converted(each, kind, (*path, at)) for at, (each, kind) in pairs]
        case _:
            raise Misfit(path, f"should be a {described(given)}, not `{_excerpt(value)}`")


def _structure(value: dict[str, Value], given: Structure, path: Path) -> Value:
    for name in value:
        if name not in given.members:
            known = ", ".join(f"`{each}`" for each in given.members)
            raise Misfit((*path, name), f"is not known here; there are {known}")
    return {name: converted(value.get(name), kind, (*path, name)) for name, kind in given.members.items()}


def _primitive(value: Value, given: Primitive, path: Path) -> Value:
    match given, value:
        case Primitive.DYNAMIC, _:
            return converted(value, type_of(value), path) if not isinstance(value, dict | list) else value
        case (Primitive.STRING, str() | SecretText()) | (Primitive.BOOL, bool()):
            return value
        case Primitive.STRING, bool() | int() | float():
            return _text_of(value)
        case Primitive.NUMBER, int() | float() | str() if not isinstance(value, bool):
            return number_of(value if isinstance(value, str) else repr(value), path)
        case Primitive.BOOL, str() if value in _TRUTH:
            return _TRUTH[value]
        case _:
            raise Misfit(path, f"should be a {described(given)}, not `{_excerpt(value)}`")


def _text_of(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _excerpt(value: Value) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return str(value)[:60]
