"""What of the world a plan touches: what it changes, and what its changes stand on.

Two plans that touch nothing in common may be carried out at the same time; a plan is bound to the rows that
it touches and to no others. What is deposed (`web#deposed`) belongs to the instance that it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dirigent.model.plan import Bridge, Change, fingerprint
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow


@dataclass(frozen=True, slots=True)
class Touch:
    """The addresses that a plan changes, and those that it reads only, each in order of mention."""

    writes: tuple[str, ...]
    reads: tuple[str, ...]


def touch_of(changes: Iterable[Change], bridges: Sequence[Bridge] = ()) -> Touch:
    """Return what changes touch: the needs of what is changed, as declared and as it was, all down."""
    by_address = {str(change.address): change for change in changes}
    pending = [change for change in by_address.values() if change.acts]
    writes = dict.fromkeys(_owner(change.address) for change in pending)
    writes |= dict.fromkeys(_owner(change.moved_from) for change in pending if change.moved_from)
    reads: dict[str, None] = {}
    seen: dict[str, None] = {}
    stack = [str(need) for bridge in reversed(bridges) for need in bridge.needs] if pending else []
    stack += [str(need) for change in reversed(pending) for need in _needs(change)]
    while stack:
        address = stack.pop()
        if address in seen:
            continue
        seen[address] = None
        if _owner(address) not in writes:
            reads[_owner(address)] = None
        below = by_address.get(address)
        if below is not None:
            stack.extend(str(need) for need in _needs(below))
    return Touch(tuple(writes), tuple(reads))


def world_of(changes: Iterable[Change], rows: Sequence[ResourceRow], bridges: Sequence[Bridge] = ()) -> str:
    """Return the digest of the rows that changes touch: a plan of them is good for a world that has it."""
    touch = touch_of(changes, bridges)
    touched = frozenset((*touch.writes, *touch.reads))
    return fingerprint([row for row in rows if _owner(row.address) in touched])


def in_conflict(one: Touch, other: Touch) -> tuple[str, ...]:
    """Return what stands between two plans: what one changes and the other changes or reads."""
    writes, touched = frozenset(other.writes), frozenset((*other.writes, *other.reads))
    met = (address for address in one.writes if address in touched)
    return (*met, *(address for address in one.reads if address in writes))


def _needs(change: Change) -> tuple[str, ...]:
    before = change.prior.needs if change.prior is not None else ()
    return (*change.needs, *before)


def _owner(address: str) -> str:
    return address.partition("#")[0]
