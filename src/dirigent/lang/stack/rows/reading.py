"""The sections `moved`, `forget` and `import`. Their entries may stay in the file for ever."""

from __future__ import annotations

from collections.abc import Iterator

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.expressions import template
from dirigent.lang.stack.mentions import Use
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Items, Members, Node
from dirigent.model.ids import split_address
from dirigent.model.source import Span
from dirigent.model.stack import Adoption, Move, Release


def read_moves(reading: Reading, node: Node | None) -> tuple[Move, ...]:
    """Return the moves; report what is declared (E1430), stands twice (E1431), is a circle (E1432)."""
    moves: list[Move] = []
    for entry in _entries(node):
        source, to = text_of(entry.get("from")), text_of(entry.get("to"))
        if source is not None and to is not None:
            moves.append(Move(source, to, entry.members["from"].node.span))
            _check_declared(reading, moves[-1])
    _check_twice(reading, moves)
    _check_circle(reading, moves)
    return tuple(moves)


def read_releases(reading: Reading, node: Node | None) -> tuple[Release, ...]:
    """Return what is let go of; report what is declared all the same (E1433)."""
    releases: list[Release] = []
    for entry in _entries(node):
        address = text_of(entry.get("resource"))
        if address is None:
            continue
        at = entry.members["resource"].node.span
        releases.append(Release(address, at))
        if address in reading.resources:
            reading.complain(
                "E1433",
                f"`{shortened(address)}` is declared, so it cannot be let go of",
                at,
                "declared under `resources`",
                "take it out of `resources`, or this entry out of `forget`",
            )
    return tuple(releases)


def read_imports(reading: Reading, node: Node | None) -> tuple[Adoption, ...]:
    """Return what is taken over; report what is not declared (E1434), and ids that hang on others (E1435)."""
    imports: list[Adoption] = []
    for entry in _entries(node):
        to = text_of(entry.get("to"))
        if to is None:
            continue
        at = entry.members["to"].node.span
        name, key = split_address(to)
        if name not in reading.resources:
            meant = nearest(name, list(reading.resources))
            reading.complain(
                "E1434",
                f"`{shortened(to)}` is to be imported, and is no resource of this stack",
                at,
                f"did you mean `{meant}`?" if meant else "not declared",
                f"change it to `{meant}`" if meant else f"declare `{shortened(name)}` under `resources`",
            )
        each = entry.get("each")
        if each is not None and key is not None:
            reading.complain(
                "E1434",
                f"`{shortened(to)}` is one instance, and `each` makes several",
                at,
                "one instance",
                f"write `{name}`, and the items of `each` name its instances",
            )
        use = Use(f"the import of `{to}`", each=each is not None, decides="what is imported")
        imports.append(
            Adoption(to, template(reading, entry.get("id"), use), template(reading, each, use), at)
        )
        for mentioned, where in use.found.items():
            reading.complain(
                "E1435",
                f"the import of `{shortened(to)}` hangs on the resource `{mentioned}`",
                where,
                "may be known only after apply",
                "write the id out, or take it from `$inputs`",
            )
    return tuple(imports)


def _entries(node: Node | None) -> Iterator[Members]:
    for item in node.items if isinstance(node, Items) else ():
        entry = mapping_of(item)
        if entry is not None:
            yield entry


def _check_declared(reading: Reading, move: Move) -> None:
    source, to = split_address(move.source), split_address(move.to)
    if source[1] is None and source[0] != to[0] and source[0] in reading.resources:
        reading.complain(
            "E1430",
            f"`{shortened(move.source)}` is declared, so nothing can move away from it",
            _at(move),
            "declared under `resources`",
            "take the entry out: what has moved is known by its new name",
        )


def _check_twice(reading: Reading, moves: list[Move]) -> None:
    for side in ("source", "to"):
        seen: dict[str, Move] = {}
        for move in moves:
            address = move.source if side == "source" else move.to
            if address in seen:
                verb = "leads two ways" if side == "source" else "has two sources"
                reading.complain(
                    "E1431",
                    f"`{shortened(address)}` {verb} in `moved`",
                    _at(move),
                    "the second entry",
                    "keep one of them",
                )
            seen.setdefault(address, move)


def _check_circle(reading: Reading, moves: list[Move]) -> None:
    by_source = {move.source: move for move in moves}
    told: dict[str, None] = {}
    for move in moves:
        path: dict[str, None] = {}
        address = move.source
        while address in by_source and address not in path:
            path[address] = None
            address = by_source[address].to
        if address in path and not any(each in told for each in path):
            told |= path
            shown = " to ".join(f"`{each}`" for each in (*path, address))
            reading.complain(
                "E1432",
                f"the entries of `moved` lead in a circle: {shown}",
                _at(move),
                "one of them",
                "take one of them out: a name leads to where it is now",
            )


def _at(move: Move) -> Span:
    if move.span is None:
        raise AssertionError("an entry of a file has a place")
    return move.span
