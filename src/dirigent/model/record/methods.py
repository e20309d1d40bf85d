"""The methods of data classes, written and compiled at their first call.

Rule: what a written method does is what that of the standard library does, field by field in their order;
`tests/model/test_record.py` holds both side by side. Only the way there is short: a slot is filled through
its own descriptor, which is cheaper than `object.__setattr__` by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from reprlib import recursive_repr
from types import FunctionType, MemberDescriptorType
from typing import ClassVar, Protocol, TypeAlias

Fields: TypeAlias = tuple["Field[object]", ...]
Names: TypeAlias = dict[str, object]
Write: TypeAlias = Callable[[type, Fields], FunctionType]


def furnish(cls: type, *, frozen: bool, eq: bool) -> type:
    """Give a class whose fields are known its methods, except those that it has of its own."""
    own = cls.__dict__
    wanted: dict[str, object] = {}
    if "__init__" not in own:
        wanted["__init__"] = _later(cls, "__init__", _write_filling if frozen else _write_assigning)
    if "__repr__" not in own:
        wanted["__repr__"] = _shown
    if frozen:
        wanted |= {"__setattr__": _refuse_setting, "__delattr__": _refuse_deleting}
        wanted |= {"__getstate__": _state, "__setstate__": _restore}
    if eq and "__eq__" not in own:
        wanted["__eq__"] = _later(cls, "__eq__", _write_equal)
    if eq and own.get("__hash__") is None:  # None also where a class says itself how two are equal
        wanted["__hash__"] = _later(cls, "__hash__", _write_hash) if frozen else None
    for name, method in wanted.items():
        setattr(cls, name, method)
    return cls


def _later(cls: type, name: str, write: Write) -> object:
    """Return a method that puts the written one in its own place, and calls it."""

    def first(self: object, *values: object, **named: object) -> object:
        written = write(cls, fields(cls))
        setattr(cls, name, written)
        return written(self, *values, **named)

    first.__name__, first.__qualname__ = name, f"{cls.__qualname__}.{name}"
    return first


def _write_filling(cls: type, known: Fields) -> FunctionType:
    """Write the `__init__` of a class that refuses to be assigned to."""
    names: Names = {}
    lines = []
    for each in known:
        slot = getattr(cls, each.name, None)
        if isinstance(slot, MemberDescriptorType):
            names[f"_set_{each.name}"] = slot.__set__
            lines.append(f"_set_{each.name}(self, {{}})")
        else:
            names["_set"] = object.__setattr__
            lines.append(f"_set(self, {each.name!r}, {{}})")
    return _write_init(cls, known, lines, names)


def _write_assigning(cls: type, known: Fields) -> FunctionType:
    return _write_init(cls, known, [f"self.{each.name} = {{}}" for each in known], {})


def _write_init(cls: type, known: Fields, lines: list[str], names: Names) -> FunctionType:
    """Write an `__init__`: `lines` say, in the order of the fields, where `{}` is kept."""
    taken: list[str] = []
    named: list[str] = []
    body: list[str] = []
    names["_absent"] = MISSING
    for each, line in zip(known, lines, strict=True):
        name = each.name
        taking = value = name
        if each.default is not MISSING:
            names[f"_default_{name}"] = each.default
            taking = f"{name}=_default_{name}"
            value = name if each.init else f"_default_{name}"
        elif each.default_factory is not MISSING:
            names[f"_make_{name}"] = each.default_factory
            taking = f"{name}=_absent"
            value = f"_make_{name}()" + (f" if {name} is _absent else {name}" if each.init else "")
        if each.init:
            (named if each.kw_only else taken).append(taking)
        if each.init or value != name:  # a field that nobody gives stays unset
            body.append(line.format(value))
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    arguments = ", ".join(["self", *taken, *(["*", *named] if named else [])])
    return _compiled(cls, f"__init__({arguments})", body or ["pass"], names)


def _write_equal(cls: type, known: Fields) -> FunctionType:
    ours, theirs = (
        "".join(f"{one}.{each.name}, " for each in known if each.compare) for one in ("self", "other")
    )
    body = [f"return ({ours}) == ({theirs}) if other.__class__ is self.__class__ else NotImplemented"]
    return _compiled(cls, "__eq__(self, other)", body, {})


def _write_hash(cls: type, known: Fields) -> FunctionType:
    counted = (each.name for each in known if (each.compare if each.hash is None else each.hash))
    return _compiled(cls, "__hash__(self)", [f"return hash(({''.join(f'self.{n}, ' for n in counted)}))"], {})


def _compiled(cls: type, head: str, body: list[str], names: Names) -> FunctionType:
    """Return a function by its source, named as a method of its class."""
    source = "\n    ".join([f"def {head}:", *body])
    exec(compile(source, "<string>", "exec"), names)
    name = head[: head.index("(")]
    written = names[name]
    if not isinstance(written, FunctionType):
        raise TypeError(f"{name} of {cls.__qualname__} is no function")
    written.__qualname__ = f"{cls.__qualname__}.{name}"
    return written


class _Record(Protocol):
    """Whatever the standard library's decorator has gone through."""

    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


@recursive_repr()
def _shown(self: _Record) -> str:
    parts = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(parts)})"


def _refuse_setting(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: _Record) -> list[object]:
    """Return the values of the fields, for a copy."""
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: _Record, state: list[object]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
