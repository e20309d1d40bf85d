"""The entries of `moved` in modules: each holds in every instance of its module that there is, or was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dirigent.model.ids import split_address, split_path
from dirigent.model.stack import Move, Stack
from dirigent.planning.modules.gone import modules_of
from dirigent.planning.rows.moving import followed


def moves_of(stack: Stack, addresses: Iterable[str]) -> tuple[Move, ...]:
    """Return the moves of a stack and of its modules, by addresses in the stack.

    `addresses` are those of the rows. A module that moves itself is asked under its new address too.
    """
    moves = list(stack.moved)
    known: dict[str, None] = {}
    waiting = sorted(modules_of(addresses))
    while waiting:
        module = waiting.pop(0)
        if module in known:
            continue
        known[module] = None
        inside = _stack_at(stack, module)
        moves += [
            replace(move, source=f"{module}/{move.source}", to=f"{module}/{move.to}")
            for move in (inside.moved if inside is not None else ())
        ]
        by_source = {move.source: move for move in moves}
        waiting += sorted({followed(each, by_source) for each in known})
    return tuple(moves)


def _stack_at(stack: Stack, module: str) -> Stack | None:
    """Return the stack that is the module at an address, None where none is declared any more."""
    outer, local = split_path(module)
    around = _stack_at(stack, outer) if outer else stack
    inside = around.modules.get(split_address(local)[0]) if around is not None else None
    return inside.stack if inside is not None else None
