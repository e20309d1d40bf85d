"""Facts, programs, plans and rows as bytes, and back: the one place where their written form is known.

Law 1: every byte string begins with a version; what is newer than this release is refused (E5003).
Law 2: a fact is `[version, kind, field, ...]`; kinds are never renumbered, fields are only added last,
with a default. A negative kind says that objects lie inside and must be revived.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final, Protocol, TypeAlias, TypeVar, cast

from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Event, Listener
from dirigent.model.fault import Fault
from dirigent.model.plan import Plan
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import (
    JOURNAL_VERSION,
    Abandoned,
    Awaited,
    CancelRequested,
    Computed,
    Created,
    Emitted,
    Ended,
    Fact,
    Failed,
    Heard,
    Held,
    Intended,
    Listening,
    Overruled,
    Patched,
    Repeated,
    ResourceChanged,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)
from dirigent.stores import forms

Document: TypeAlias = Program | Plan | ResourceRow | Fault | Listener | Cursor
D = TypeVar("D", Program, Plan, ResourceRow, Fault, Listener, Cursor)


class _Maker(Protocol):
    """A class of facts, as the decoder calls it."""

    def __call__(self, *fields: object) -> Fact:
        """Return the fact; `TypeError` when the number of fields does not fit."""
        ...


KINDS: Final[dict[int, type[Fact]]] = {
    1: Created,
    2: Intended,
    3: Succeeded,
    4: Failed,
    5: Held,
    6: Vouched,
    7: Repeated,
    8: Skipped,
    9: Abandoned,
    10: TimerSet,
    11: TimerFired,
    12: Computed,
    13: CancelRequested,
    14: Suspended,
    15: Resumed,
    16: ResourceChanged,
    17: Ended,
    18: Awaited,
    19: Patched,
    20: Signalled,
    21: Listening,
    22: Heard,
    23: Unheard,
    24: Emitted,
    40: Retried,
    41: Overruled,
}


_WRITE: Final = {
    kind: (number, forms.getter([each.name for each in fields(kind)])) for number, kind in KINDS.items()
}


def encode_fact(fact: Fact) -> bytes:
    """Return the bytes of a fact, or raise `Refusal` (E5013 too deep, E5014 not a value)."""
    number, getter = _WRITE[type(fact)]
    body: list[object] = [JOURNAL_VERSION, number, *getter(fact)]
    if forms.is_plain(body):
        try:
            return forms.pack(body)
        except OverflowError:
            pass  # An integer beyond 64 bits: the long way knows how.
    return forms.pack([JOURNAL_VERSION, -number, *(forms.lower(field) for field in body[2:])])


def decode_fact(content: bytes) -> Fact:
    """Return the fact of bytes, or raise `Refusal` (E5003 newer, E5008 corrupt)."""
    body = forms.unpack(content)
    match body:
        case [int(version), int(number), *values]:
            pass
        case _:
            raise forms.corrupt("a stored fact is not a fact")
    kind = KINDS.get(abs(number))
    if version > JOURNAL_VERSION or kind is None:
        raise forms.newer(f"a fact of kind `{abs(number)}`, version `{version}`")
    if number < 0:
        values = cast("list[object]", forms.revive(values))
    try:
        return cast("_Maker", kind)(*values)
    except TypeError:
        raise forms.newer(f"a `{kind.__name__}` with `{len(values)}` fields") from None


def encode(document: Document) -> bytes:
    """Return the bytes of a program, plan, row or fault, or raise `Refusal` (E5013, E5014)."""
    return forms.pack([JOURNAL_VERSION, forms.lower(document)])


def decode(content: bytes, kind: type[D]) -> D:
    """Return the document of bytes, or raise `Refusal` (E5003 newer, E5008 corrupt)."""
    body = forms.unpack(content)
    match body:
        case [int(version), form]:
            pass
        case _:
            raise forms.corrupt("a stored document is not a document")
    if version > JOURNAL_VERSION:
        raise forms.newer(f"a document of version `{version}`")
    document = forms.revive(form)
    if not isinstance(document, kind):
        raise forms.corrupt(f"a stored document is no `{kind.__name__}`")
    return document


def encode_event(event: Event) -> bytes:
    """Return the bytes of an event, or raise `Refusal` (E5013, E5014)."""
    return encode_plain([event])


def decode_event(content: bytes) -> Event:
    """Return the event of bytes, or raise `Refusal` (E5008)."""
    match decode_plain(content):
        case [dict() as event]:
            return cast("Event", event)
        case _:
            raise forms.corrupt("a stored event is none")


def encode_plain(plain: list[object]) -> bytes:
    """Return the bytes of lists and dictionaries of values, or raise `Refusal` (E5013, E5014)."""
    return forms.pack(forms.lower(plain))


def decode_plain(content: bytes) -> list[object]:
    """Return what `encode_plain` was given, or raise `Refusal` (E5003, E5008)."""
    plain = forms.revive(forms.unpack(content))
    if not isinstance(plain, list):
        raise forms.corrupt("a stored record is no list")
    return plain
