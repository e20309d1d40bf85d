"""Rows that move to another type: which they are. What they come to only the provider of that type knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.model.ids import DEPOSED, declared_path
from dirigent.model.record import dataclass
from dirigent.model.resource import Resource, ResourceRow
from dirigent.model.source import Span
from dirigent.model.stack import Move, Stack
from dirigent.planning.modules.renamed import moves_of
from dirigent.planning.rows.adopt import declared_resources
from dirigent.planning.rows.moving import followed
from dirigent.ports import Language
from dirigent.ports.resources import Reading


@dataclass(frozen=True, slots=True)
class Crossing:
    """A row, under its stored address, and the type and provider that it is to have at `to`."""

    row: ResourceRow
    to: str
    type: str
    provider: str
    span: Span | None = None


def crossings(
    stack: Stack, rows: Sequence[ResourceRow], language: Language, moves: Sequence[Move] | None = None
) -> tuple[Crossing, ...]:
    """Return the rows that move to a resource of another type; `moves` None are the entries of the stack.

    Only what a configured provider manages, before and after, can: all else `refuse_moves` refuses.

    Raises:
        Refusal: what is wrong with the references of the stack (E2001-E2004, E2009).
    """
    entries = moves_of(stack, [row.address for row in rows]) if moves is None else tuple(moves)
    by_source = {move.source: move for move in entries}
    moved = [(row, to) for row in rows for to in (followed(row.address, by_source),) if to != row.address]
    moved = [(row, to) for row, to in moved if row.provider and not row.reads and DEPOSED not in to]
    declared = declared_resources(stack, language) if moved else {}
    found: list[Crossing] = []
    for row, to in moved:
        resource = declared.get(declared_path(to))
        if resource is not None and _crosses(row, resource):
            span = _span(to, entries) or resource.span
            found.append(Crossing(row, to, resource.type, resource.provider, span))
    return tuple(found)


def became(crossing: Crossing, found: Reading) -> ResourceRow:
    """Return a row as its new provider has it, still under the address that it has."""
    return replace(
        crossing.row,
        type=crossing.type,
        provider=crossing.provider,
        config=found.config,
        attributes=found.attributes or {},
        private=found.private,
    )


def _crosses(row: ResourceRow, resource: Resource) -> bool:
    return bool(resource.provider) and not resource.reads and resource.type != row.type


def _span(to: str, moves: Sequence[Move]) -> Span | None:
    """Return where the entry stands that leads to an address, or to what it is an instance of."""
    by_target: Mapping[str, Span | None] = {declared_path(move.to): move.span for move in moves}
    return by_target.get(declared_path(to))
