"""How each value and model object looks in msgpack, and back. No recursion: documents may be deep.

Law 1: what is not JSON travels as a msgpack extension, which no data from outside can imitate.
Law 2: objects carry class and field names, so a field added later with a default reads old bytes.
Law 3: numbers of extensions are never reused, and the fields of a leaf only ever grow at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from types import ModuleType
from typing import Final, TypeAlias, cast

import msgspec

from dirigent.model import fault, limits, plan, problem, program, resource
from dirigent.model.asking import warm
from dirigent.model.events import cursor, listening
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run import origin, ticket
from dirigent.model.source import Span
from dirigent.model.values import SCALARS, Expression, SecretRef, SecretText, Unknown, UriTemplate

# A list is a box too: its keys are its indices.
Box: TypeAlias = dict[object, object]
Getter: TypeAlias = Callable[[object], "tuple[object, ...]"]

# What stands for itself, whatever it says: an integer may be too large.
_PLAIN: Final = SCALARS - {int}
OBJECTS_DEPTH: Final = 200

SECRET, UNKNOWN, EXPRESSION, URI, INTEGER, SPAN, ENUM, OBJECT, TUPLE = range(1, 10)

_pack: Final = msgspec.msgpack.Encoder().encode


class _Tag:
    """The first item of a list that stands for an object or a tuple. Never part of a value."""

    __slots__ = ("kind",)

    def __init__(self, kind: type | None) -> None:
        """Keep the class, None for a tuple."""
        self.kind = kind


def _classes(*modules: ModuleType) -> dict[str, type]:
    """Return every class that the modules define, by name."""
    found = [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and thing.__module__ == module.__name__
    ]
    return {thing.__name__: thing for thing in found}


def getter(names: Sequence[str]) -> Getter:
    """Return what takes the members of so many names of an object, in their order."""
    if len(names) > 1:
        return cast("Getter", attrgetter(*names))
    return lambda node: tuple(getattr(node, name) for name in names)


_CLASSES: Final = _classes(program, plan, resource, fault, ticket, origin, listening, cursor, problem, warm)
_FIELDS: Final = {
    kind: tuple(each.name for each in fields(kind)) for kind in _CLASSES.values() if is_dataclass(kind)
}
_MEMBERS: Final = {kind: getter(names) for kind, names in _FIELDS.items()}
_TAGS: Final = {kind: msgspec.msgpack.Ext(OBJECT, kind.__name__.encode()) for kind in _FIELDS}
_TUPLE: Final = msgspec.msgpack.Ext(TUPLE, b"")


def pack(form: object) -> bytes:
    """Return the bytes of a plain or lowered form, or raise `Refusal` (E5013, E5014).

    An integer beyond 64 bits raises `OverflowError`: lower the form first.
    """
    try:
        return _pack(form)
    except RecursionError:
        raise too_deep() from None
    except UnicodeEncodeError as error:
        raise refuse(
            "E5014",
            f"a text holds `{error.object[error.start : error.end]!a}`, which is no character,"
            " so it cannot be stored",
            "let the task that made it return valid Unicode",
        ) from None


def unpack(content: bytes) -> object:
    """Return the form of bytes, leaves made whole, objects still to be revived; or `Refusal`."""
    try:
        return cast("object", _decoder.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise corrupt(f"a stored record cannot be read: {error}") from None


def corrupt(message: str) -> Refusal:
    """Return the refusal for bytes that no release has ever written."""
    return refuse(
        "E5008",
        message,
        "copy the state directory aside before anything else",
        "restore the newest backup, or save what can be read with `sqlite3 FILE .recover`",
    )


def newer(what: str) -> Refusal:
    """Return the refusal for a record that only a later release understands."""
    return refuse("E5003", f"the store holds {what}, which this release does not know", "upgrade Dirigent")


def too_deep() -> Refusal:
    """Return the refusal for a value that is nested too deeply."""
    return refuse(
        "E5013",
        f"a value is nested deeper than `{limits.VALUE_DEPTH}` levels, so it cannot be stored",
        "flatten it, or keep it as text",
    )


def is_plain(items: list[object]) -> bool:
    """Return whether all of it is JSON as it stands; raise `Refusal` (E5013) where it is too deep.

    Levels are walked one after the other: the depth comes for free and nothing recurses.
    """
    level = items
    for _ in range(limits.VALUE_DEPTH):
        deeper: list[object] = []
        for node in level:
            kind = type(node)
            if kind in SCALARS:
                continue
            if isinstance(node, dict) and kind is dict:
                inner: Collection[object] = node.values()
            elif isinstance(node, list) and kind is list:
                inner = node
            else:
                return False
            # What holds only scalars need not be walked.
            if not SCALARS.issuperset(map(type, inner)):
                deeper += inner
        if not deeper:
            return True
        level = deeper
    if any(isinstance(node, dict | list) for node in level):
        raise too_deep()
    return False


def lower(root: object) -> object:
    """Return a copy that msgpack can hold, or raise `Refusal` (E5013 too deep, E5014 not a value)."""
    holder: list[object] = [root]
    # Each entry is a box whose items are still to be lowered, how deep in the value, how deep in objects.
    boxes: list[tuple[Box, int, int]] = [(cast("Box", holder), 0, 0)]
    while boxes:
        box, depth, objects = boxes.pop()
        if depth > limits.VALUE_DEPTH or objects > OBJECTS_DEPTH:
            raise too_deep()
        for key, node in box.items() if isinstance(box, dict) else enumerate(box):
            kind = type(node)
            if kind is int:
                box[key] = _integer(cast("int", node))
            elif kind in SCALARS or kind is msgspec.msgpack.Ext:
                continue
            elif kind is dict:
                if _PLAIN.issuperset(map(type, cast("Box", node).values())):
                    continue  # Nothing in it is changed, so it need not be copied.
                box[key] = inner = dict(cast("Box", node))
                boxes.append((inner, depth + 1, objects))
            elif kind is list or kind is tuple:
                row = (
                    list(cast("list[object]", node))
                    if kind is list
                    else [_TUPLE, *cast("list[object]", node)]
                )
                box[key] = row
                boxes.append((cast("Box", row), depth + (kind is list), objects))
            elif kind in _FIELDS:
                fields_of = dict(zip(_FIELDS[kind], _MEMBERS[kind](node), strict=True))
                box[key] = [_TAGS[kind], fields_of]
                boxes.append((cast("Box", fields_of), 0, objects + 1))
            else:
                box[key] = _leaf(node)
    return holder[0]


def revive(root: object) -> object:
    """Return the form with its objects and tuples made. The form is used up."""
    holder: list[object] = [root]
    boxes: list[object] = [holder]
    for box in boxes:
        children = cast("Box", box).values() if type(box) is dict else cast("list[object]", box)
        boxes.extend(child for child in children if type(child) is list or type(child) is dict)
    for box in reversed(boxes):
        if type(box) is dict:
            for name, child in box.items():
                box[name] = _revived(child)
        else:
            row = cast("list[object]", box)
            row[:] = [_revived(child) for child in row]
    return holder[0]


def _revived(form: object) -> object:
    """Return the object of a tagged list whose members are revived already, else the form itself."""
    if type(form) is not list or not form or type(form[0]) is not _Tag:
        return form
    kind = form[0].kind
    if kind is None:
        return tuple(form[1:])
    try:
        return cast("object", kind(**form[1]))
    except (TypeError, IndexError):
        raise newer(f"a `{kind.__name__}` with other fields") from None


def _integer(number: int) -> object:
    if -(2**63) <= number < 2**64:
        return number
    size = number.bit_length() // 8 + 1
    return msgspec.msgpack.Ext(INTEGER, number.to_bytes(size, "big", signed=True))


def _span(span: Span | None) -> list[object] | None:
    return [span.file, span.line, span.column, span.end_line, span.end_column] if span else None


def _leaf(node: object) -> object:
    """Return the extension of a class whose parts are only texts and places."""
    code: int
    match node:
        case SecretText():
            parts = [[part.name] if isinstance(part, SecretRef) else part for part in node.parts]
            code, form = SECRET, cast("object", parts)
        case Unknown():
            code, form = UNKNOWN, list(node.needs)
        case Expression():
            code, form = EXPRESSION, [node.text, _span(node.span)]
        case UriTemplate():
            code, form = URI, [node.text, _span(node.span)]
        case Span():
            code, form = SPAN, _span(node)
        case Enum() if type(node).__name__ in _CLASSES:
            code, form = ENUM, [type(node).__name__, node.value]
        case _:
            raise refuse(
                "E5014",
                f"a `{type(node).__name__}` is neither JSON nor a part of the model, so it cannot be stored",
                "let the task that made it return JSON",
            )
    return msgspec.msgpack.Ext(code, pack(form))


def _place(form: object) -> Span | None:
    if form is None:
        return None
    file, line, column, end_line, end_column = cast("tuple[str, int, int, int, int]", form)
    return Span(file, line, column, end_line, end_column)


def _text_leaf(kind: Callable[[str, Span | None], object]) -> Callable[[list[object]], object]:
    def make(form: list[object]) -> object:
        text, place = form
        return kind(cast("str", text), _place(place))

    return make


def _secret(form: list[object]) -> SecretText:
    return SecretText(
        tuple(
            SecretRef(cast("str", part[0])) if isinstance(part, list) else cast("str", part) for part in form
        )
    )


def _unknown(form: list[object]) -> Unknown:
    return Unknown(tuple(cast("list[str]", form)))


def _enum(form: list[object]) -> object:
    name, value = form
    return cast("object", _CLASSES[cast("str", name)](value))


_LEAVES: Final[dict[int, Callable[[list[object]], object]]] = {
    SECRET: _secret,
    UNKNOWN: _unknown,
    EXPRESSION: _text_leaf(Expression),
    URI: _text_leaf(UriTemplate),
    SPAN: _place,
    ENUM: _enum,
}


def _extension(code: int, content: memoryview) -> object:
    """Return what an extension stands for. Called by the decoder."""
    if code == INTEGER:
        return int.from_bytes(content, "big", signed=True)
    if code == TUPLE:
        return _Tag(None)
    if code == OBJECT:
        name = bytes(content).decode()
        if name not in _CLASSES:
            raise newer(f"a `{name}`")
        return _Tag(_CLASSES[name])
    if code not in _LEAVES:
        raise newer(f"a value of kind `{code}`")
    form = cast("list[object]", msgspec.msgpack.decode(content))
    try:
        return _LEAVES[code](form)
    except (KeyError, TypeError, ValueError, IndexError):
        raise newer(f"`{form!r}` as a value of kind `{code}`") from None


_decoder: Final = msgspec.msgpack.Decoder(ext_hook=_extension)
