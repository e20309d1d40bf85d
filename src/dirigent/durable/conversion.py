"""Python values as JSON, and back by the types that the author wrote. Lossless, or refused with the place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Final, ParamSpec, TypeAlias, cast, get_type_hints

import msgspec

from dirigent.durable.failures import NotStorable
from dirigent.model.record import dataclass
from dirigent.model.values import Value

P = ParamSpec("P")
# A type as an author writes it: a class, a union, a generic alias.
Hint: TypeAlias = object
PLAIN: Final = frozenset((str, int, float, bool, type(None)))
# What JSON gives back as it was: nothing is to be made of it.
AS_IT_IS: Final = frozenset((str, int, bool, type(None), object, None))


def to_json(value: object, what: str) -> Value:
    """Return a value as JSON, or raise `NotStorable` that names `what` it is."""
    if type(value) in PLAIN:
        return cast("Value", value)
    try:
        return _listed(msgspec.to_builtins(value, str_keys=True))
    except (TypeError, ValueError, RecursionError, OverflowError) as failure:
        raise NotStorable(
            f"{what} is a `{type(value).__qualname__}`, which cannot be stored ({failure}): give JSON, a"
            " dataclass, a msgspec.Struct, a date, a Decimal or an enum"
        ) from None


def _listed(value: object) -> Value:
    """Return plain values with lists for tuples: JSON knows no other."""
    if isinstance(value, dict):
        return {str(name): _listed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return cast("Value", value)


def from_json(value: Value, hint: Hint, what: str) -> object:
    """Return what the author's type makes of a stored value, or raise `NotStorable`."""
    if hint in AS_IT_IS and (hint is object or type(value) is hint):
        return value
    try:
        return msgspec.convert(value, cast("type[object]", hint), str_keys=True)
    except (msgspec.ValidationError, TypeError) as failure:
        raise NotStorable(f"{what} does not fit its type: {failure}") from None


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters and the result of a function, as its author typed them."""

    names: tuple[str, ...]
    hints: Mapping[str, Hint]
    defaults: frozenset[str]
    spread: str
    result: Hint

    def members(self, given: Value, what: str) -> dict[str, object]:
        """Return the arguments of an object with one member for each parameter, or raise `NotStorable`."""
        if not isinstance(given, dict):
            raise NotStorable(f"{what} takes an object with the members {self._listed()}")
        unknown = [name for name in given if name not in self.names]
        if unknown:
            raise NotStorable(f"{what} has no parameter `{unknown[0]}`: it takes {self._listed()}")
        missing = [name for name in self.names if name not in given and name not in self.defaults]
        if missing:
            raise NotStorable(f"{what} needs `{missing[0]}`")
        return {name: self.argument(name, value, what) for name, value in given.items()}

    def argument(self, name: str, value: Value, what: str) -> object:
        """Return one argument as its type makes it."""
        hint = self.hints.get(name, object)
        if hint is object or (hint in AS_IT_IS and type(value) is hint):
            return value
        return from_json(value, hint, f"`{name}` of {what}")

    def _listed(self) -> str:
        return ", ".join(f"`{name}`" for name in self.names) or "none"


def form_of(function: Callable[P, object], first: int = 0) -> Form:
    """Return the form of a function, without its first parameters."""
    parameters = list(inspect.signature(function).parameters.values())[first:]
    hints = _hints(function)
    return Form(
        names=tuple(each.name for each in parameters),
        hints=hints,
        defaults=frozenset(each.name for each in parameters if each.default is not each.empty),
        spread=next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), ""),
        result=hints.get("return", object),
    )


def _hints(function: Callable[P, object]) -> dict[str, Hint]:
    """Return the types that the author wrote; what he left open is any JSON."""
    found = cast("dict[str, Hint]", get_type_hints(function))
    return {name: type(None) if hint is None else hint for name, hint in found.items()}
