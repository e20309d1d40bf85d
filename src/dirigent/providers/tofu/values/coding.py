"""Between values and the MessagePack of the protocol; the type says how each is read.

Numbers have no width: integers stay exact, and a fraction that binary cannot hold travels as its
decimal digits. An unknown value is an extension of MessagePack; what a provider promises about it
(a refinement) may be ignored, and is. Source: OpenTofu, docs/plugin-protocol/object-wire-format.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias, cast

import msgspec

from dirigent.model.values import SecretText, Unknown, Value
from dirigent.providers.tofu.values.paths import Misfit, Path
from dirigent.providers.tofu.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    Collection,
    Kind,
    NoType,
    Primitive,
    Row,
    Structure,
    Type,
    described,
    read_type,
    write_type,
)

UNKNOWN: Final = Unknown()
_UNKNOWN_CODE: Final = msgspec.msgpack.Ext(0, b"\x00")
_TEXT: Final = frozenset((str,))
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1

Wire: TypeAlias = object


def encode(value: Value, given: Type) -> bytes:
    """Return the MessagePack of a value of a type. Raises `Misfit`."""
    return msgspec.msgpack.encode(_out(value, given, ()))


def decode(content: bytes, given: Type) -> Value:
    """Return the value in some MessagePack. Raises `Misfit`, also for what is no MessagePack."""
    try:
        found: object = msgspec.msgpack.decode(content, ext_hook=lambda _code, _payload: UNKNOWN)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Misfit((), f"cannot be read: {error}") from None
    return _in(found, given, ())


def canonical(elements: Sequence[Value]) -> list[Value]:
    """Return the elements of a set: each once, in an order that depends on nothing but them."""
    by_text = {_order(each): each for each in elements}
    return [by_text[text] for text in sorted(by_text)]


def type_of(value: Value) -> Type:
    """Return the type that a value has by itself, for a place that takes any."""
    match value:
        case bool():
            return BOOL
        case int() | float():
            return NUMBER
        case str() | SecretText():
            return STRING
        case list():
            return Row(tuple(type_of(each) for each in value))
        case dict():
            return Structure({name: type_of(each) for name, each in value.items()})
        case _:
            return DYNAMIC


def _order(value: Value) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _out(value: Value, given: Type, path: Path) -> Wire:
    if value is None or isinstance(value, Unknown):
        return None if value is None else _UNKNOWN_CODE
    match given:
        case Primitive():
            return _primitive_out(value, given, path)
        case Collection(Kind.MAP, element) if isinstance(value, dict):
            texts = element is STRING and _TEXT.issuperset(map(type, value.values()))
            return value if texts else {at: _out(each, element, (*path, at)) for at, each in value.items()}
        case Collection(Kind.LIST | Kind.SET, element) if isinstance(value, list):
            return [_out(each, element, (*path, at)) for at, each in enumerate(value)]
        case Structure(members) if isinstance(value, dict):
            # Most members are texts or nothing, and these are written as they stand.
            return {
                name: each
                if (each := value.get(name)) is None or (kind is STRING and type(each) is str)
                else _out(each, kind, (*path, name))
                for name, kind in members.items()
            }
        case Row(items) if isinstance(value, list) and len(value) == len(items):
            return [
                _out(each, kind, (*path, at))
                for at, (each, kind) in enumerate(zip(value, items, strict=True))
            ]
        case _:
            raise Misfit(path, f"is no {described(given)}")


def _primitive_out(value: Value, given: Primitive, path: Path) -> Wire:
    match given, value:
        case Primitive.DYNAMIC, _:
            kind = type_of(value)
            return [write_type(kind).encode(), _out(value, kind, path)]
        case (Primitive.STRING, str()) | (Primitive.BOOL, bool()):
            return value
        case Primitive.NUMBER, int() if not isinstance(value, bool):
            return value if _INT64_MIN <= value <= _UINT64_MAX else str(value)
        case Primitive.NUMBER, float() if math.isfinite(value):
            exact = Decimal(value) == Decimal(repr(value))
            return value if exact else repr(value)
        case _:
            raise Misfit(path, f"is no {described(given)}")


def _in(found: Wire, given: Type, path: Path) -> Value:
    if found is None or isinstance(found, Unknown):
        return found
    match given:
        case Primitive():
            return _PRIMITIVES[given](found, path)
        case Collection(Kind.MAP, element) if isinstance(found, dict):
            return {name: _in(each, element, (*path, name)) for name, each in sorted(_keyed(found, path))}
        case Collection(kind, element) if isinstance(found, list):
            items = [_in(each, element, (*path, at)) for at, each in enumerate(found)]
            return canonical(items) if kind is Kind.SET else items
        case Structure(members) if isinstance(found, dict):
            return _members_in(found, members, path)
        case Row(kinds) if isinstance(found, list) and len(found) == len(kinds):
            return [
                _in(each, kind, (*path, at)) for at, (each, kind) in enumerate(zip(found, kinds, strict=True))
            ]
        case _:
            raise Misfit(path, f"should be a {described(given)}")


def _members_in(found: dict[object, object], members: Mapping[str, Type], path: Path) -> Value:
    if found.keys() != members.keys():
        names = {name for name, _ in _keyed(found, path)}
        odd = ", ".join(f"`{name}`" for name in sorted(names ^ members.keys()))
        raise Misfit(path, f"has other members than its type: {odd}")
    return {
        name: each
        if (each := found[name]) is None or (kind is STRING and isinstance(each, str))
        else _in(each, kind, (*path, name))
        for name, kind in members.items()
    }


def _keyed(found: dict[object, object], path: Path) -> list[tuple[str, Wire]]:
    for key in found:
        if not isinstance(key, str):
            raise Misfit(path, f"has the key `{key!r}`, which is no text")
    return cast("list[tuple[str, Wire]]", list(found.items()))


def _dynamic_in(found: Wire, path: Path) -> Value:
    match found:
        case [bytes() | str() as text, inner]:
            try:
                return _in(inner, read_type(text), path)
            except NoType as error:
                raise Misfit(path, str(error)) from None
        case _:
            raise Misfit(path, "should be a type and a value")


def _string_in(found: Wire, path: Path) -> Value:
    if isinstance(found, str):
        return found
    raise Misfit(path, "should be a string")


def _bool_in(found: Wire, path: Path) -> Value:
    if isinstance(found, bool):
        return found
    raise Misfit(path, "should be true or false")


def _number_in(found: Wire, path: Path) -> Value:
    match found:
        case bool():
            raise Misfit(path, "should be a number")
        case int():
            return found
        case float() if math.isfinite(found):
            return int(found) if found.is_integer() else found
        case str():
            return number_of(found, path)
        case _:
            raise Misfit(path, "should be a number")


def number_of(text: str, path: Path = ()) -> int | float:
    """Return the number that some decimal digits stand for. Raises `Misfit`."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise Misfit(path, f"should be a number, not `{text}`") from None
    if not exact.is_finite() or abs(exact.adjusted()) > MAGNITUDE:
        raise Misfit(path, f"should be a finite number, not `{text}`")
    return int(exact) if exact == exact.to_integral_value() else float(exact)


# A number of more digits than this is an attack: written out it would fill the memory.
MAGNITUDE: Final = 4_000

_PRIMITIVES: Final[dict[Primitive, Callable[[Wire, Path], Value]]] = {
    DYNAMIC: _dynamic_in,
    STRING: _string_in,
    BOOL: _bool_in,
    NUMBER: _number_in,
}
