"""What can become a fact. A run must not want what its journal could not hold: it would never get past it.

The measure is an upper bound of the written form, so that no store has to refuse what passed here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.run.journal import Fact, Signalled, Vouched
from dirigent.model.values import SecretRef, SecretText, Unknown, Value

HEAD_BYTES: Final = 9
TEXT_CHARACTERS: Final = 64 * 1024
_SMALL: Final = frozenset((bool, float, type(None)))


def unstorable(*values: Value) -> str | None:
    """Return in words why a fact with these values could not be stored, or None when it can."""
    weight, level = 0, list(values)
    try:
        for _ in range(limits.VALUE_DEPTH + 1):
            if not level:
                return None
            deeper: list[Value] = []
            weight += HEAD_BYTES * len(level)
            for item in level:
                # By identity of the class: this is asked of every value of every step.
                if type(item) is str:
                    weight += len(item) if item.isascii() else len(item.encode())
                elif type(item) is dict:
                    deeper += item
                    deeper += item.values()
                elif type(item) is list:
                    deeper += item
                elif type(item) not in _SMALL:
                    weight += _weight(item)
            if weight > limits.PAYLOAD_BYTES:
                return f"it is larger than the limit of {limits.PAYLOAD_BYTES} bytes"
            level = deeper
    except UnicodeEncodeError as failure:
        return f"it holds {failure.object[failure.start : failure.end]!a}, which is no character"
    return f"it is nested deeper than the limit of {limits.VALUE_DEPTH} levels"


def check_word(run: RunId, fact: Fact) -> None:
    """Raise `Refusal` (E4017) for what somebody says to a run and no journal could hold."""
    match fact:
        case Vouched(output=value) | Signalled(data=value):
            reason = unstorable(value)
        case _:
            reason = None
    if reason is not None:
        what = "output" if isinstance(fact, Vouched) else "event"
        raise refuse("E4017", f"run `{run}` cannot take this {what}: {reason}")


def bounded(fault: Fault) -> Fault:
    """Return a fault that can be stored: texts that cannot, or are longer than anybody reads, are cut."""
    if unstorable(fault.as_value()) is None:
        return fault
    return replace(
        fault,
        type=_cut(fault.type),
        title=_cut(fault.title),
        detail=_cut(fault.detail),
        instance=_cut(fault.instance),
    )


def _cut(text: str) -> str:
    return text[:TEXT_CHARACTERS].encode(errors="replace").decode()


def _weight(item: Value) -> int:
    """Return what an item that is not JSON as it stands, or a number, takes beyond its head."""
    match item:
        case int():
            return item.bit_length()
        case str():
            return len(item.encode())
        case SecretText(parts):
            texts = (part.name if isinstance(part, SecretRef) else part for part in parts)
            return sum(HEAD_BYTES + len(text.encode()) for text in texts)
        case Unknown(needs):
            return sum(HEAD_BYTES + len(need.encode()) for need in needs)
        case _:
            return 0
