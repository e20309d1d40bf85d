"""Rows that get another address, as the section `moved` says. What they stand for is not touched.

Entries are a history that may stay for ever: a row follows them from its address to the last one, and
an entry whose source is not there says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.model.ids import DEPOSED, Address, address_of, bare_address, split_address, split_path
from dirigent.model.plan import Change
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Move


@dataclass(frozen=True, slots=True)
class Relocated:
    """The rows under their new addresses. `origin` says under which address the store has a row.

    `follows` has those that stay where they are but stand on something that the store knows by another name.
    `moves` are the entries.
    """

    rows: tuple[ResourceRow, ...]
    origin: Mapping[str, str]
    follows: Mapping[str, None]
    moves: tuple[Move, ...] = ()

    def told(self, change: Change) -> Change:
        """Return a change that says from where its row comes."""
        source = self.origin.get(change.address, "")
        if source:
            because = change.because or f"moved from `{source}`"
            return replace(change, moved_from=source, because=because)
        return replace(change, follows=True) if change.address in self.follows else change


def relocated(rows: Sequence[ResourceRow], moves: Sequence[Move]) -> Relocated:
    """Return the rows where they belong now.

    Raises:
        Refusal: with every address at which two rows would meet (E2016).
    """
    if not moves:
        return Relocated(tuple(rows), {}, {})
    by_source = {move.source: move for move in moves}
    found: dict[str, ResourceRow] = {}
    origin: dict[str, str] = {}
    follows: dict[str, None] = {}
    problems: list[Problem] = []
    for row in rows:
        address = followed(row.address, by_source)
        if address in found:
            problems.append(_met(address, origin.get(address, address), row.address, moves))
            continue
        name, key = split_address(bare_address(address))
        needs = tuple(followed(need, by_source) for need in row.needs)
        found[address] = replace(row, address=Address(address), name=name, key=key, needs=needs)
        if address != row.address:
            origin[address] = row.address
        elif needs != row.needs:
            follows[address] = None
    if problems:
        raise Refusal(problems)
    return Relocated(tuple(found.values()), origin, follows, tuple(moves))


def refuse_moves(changes: Mapping[str, Change], moves: Sequence[Move]) -> None:
    """Raise `Refusal` with moves away from what is declared (E2018), and moves across types (E2017)."""
    names = {change.name for change in changes.values()}
    problems = [
        Problem(
            "E2018",
            f"`{move.source}` is declared, so nothing can move away from it",
            at=move.span,
            help=("take the entry out of `moved`: what has moved is known by its new name",),
        )
        for move in moves
        if move.source in changes or (_is_whole(move) and move.source in names)
    ]
    problems += [
        Problem(
            "E2017",
            f"`{change.moved_from}` is a `{change.prior.type}` and `{change.address}` a `{change.type}`: "
            "a move keeps the type",
            at=change.span,
            help=("take the entry out of `moved` to have the former deleted and the new one made",),
        )
        for change in changes.values()
        if change.moved_from and change.prior is not None and change.prior.type != change.type
    ]
    if problems:
        raise Refusal(problems)


def followed(address: str, by_source: Mapping[str, Move]) -> str:
    """Return where the entries lead from an address; the document has no circle of them."""
    bare, _, _ = address.partition(DEPOSED)
    leftover = address.removeprefix(bare)
    seen: dict[str, None] = {}
    while bare not in seen:
        seen[bare] = None
        bare = _next(bare, by_source)
    return bare + leftover


def _next(address: str, by_source: Mapping[str, Move]) -> str:
    """Return where one entry leads: that of an address, of its resource, or of a module around it."""
    inner, below = address, ""
    while True:
        if inner in by_source:
            move = by_source[inner]
            return move.to + below
        name, key = split_address(inner)
        found = by_source.get(name)
        # A resource as a whole moves with all its instances; into an instance moves only the single one.
        if found is not None and _is_whole(found):
            return address_of(found.to, key) + below
        module, local = split_path(inner)
        if not module:
            return address
        inner, below = module, f"/{local}{below}"


def _is_whole(move: Move) -> bool:
    """Return whether an entry renames a resource with all its instances."""
    source, to = split_address(move.source), split_address(move.to)
    return source[1] is None and to[1] is None and source[0] != to[0]


def _met(address: str, first: str, second: str, moves: Sequence[Move]) -> Problem:
    at = next((move.span for move in moves if move.to == address), None)
    return Problem(
        "E2016",
        f"`{first}` and `{second}` both stand, and both would be `{address}`",
        at=at,
        help=(
            f"take the entry that leads to `{address}` out of `moved`, and the former one is deleted",
            "or let go of one of them with `dirigent forget`",
        ),
    )
