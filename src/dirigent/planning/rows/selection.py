"""Which part of a stack a plan is for: targets with all they need, without what is excluded or needs it.

A part is closed: nothing in it needs what is left out. What is to be deleted brings in what stands on it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final

from dirigent.model.ids import bare_address, declared_path, split_address, split_path
from dirigent.model.plan import Selection
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Stack
from dirigent.planning.graph import Edges
from dirigent.planning.modules.layout import is_whole, layout_of, whole_name
from dirigent.ports import Language

# How many similar names a refusal shows.
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What is in a plan: resources as a whole, single instances, and instances that are not.

    `whole` None means every resource.
    """

    whole: Mapping[str, None] | None = None
    single: Mapping[str, None] = field(default_factory=dict)
    without: Mapping[str, None] = field(default_factory=dict)
    names_without: Mapping[str, None] = field(default_factory=dict)

    def has(self, name: str, address: str) -> bool:
        """Return whether an instance is in it; the leftover of a replacement goes with its instance."""
        bare, name = bare_address(address), declared_path(name)
        if name in self.names_without or address in self.without or bare in self.without:
            return False
        return self.whole is None or name in self.whole or address in self.single or bare in self.single

    def touches(self, name: str) -> bool:
        """Return whether any instance of a resource may be in it, or an input or output of a module."""
        if name in self.names_without:
            return False
        return self.whole is None or name in self.whole or any(_name_of(each) == name for each in self.single)


def part_of(selection: Selection, edges: Edges, rows: Sequence[ResourceRow]) -> Part:
    """Return the part of a stack that is selected; `edges` are the needs of what it declares, by name.

    Raises:
        Refusal: with every name that is neither declared nor there (E2013), and what is to be replaced
            although it is left out (E2014).
    """
    selection = _without_modules(selection, edges)
    words = [*selection.targets, *selection.exclude, *selection.replace]
    refuse_unknown(words, [*edges], rows)
    pulls: dict[str, list[str]] = {name: list(needs) for name, needs in edges.items()}
    nodes = {str(row.address): declared_path(row.name) for row in rows}
    for address, node in nodes.items():
        if node not in edges:
            pulls.setdefault(address, [])
    for row in rows:
        node = nodes[row.address] if nodes[row.address] in edges else str(row.address)
        for need in row.needs:
            if need in pulls and need not in edges:
                # It is declared no more, so it goes: what stands on it has to move first.
                pulls[need].append(node)
    part = _part(selection, pulls, nodes, set(edges))
    lost = [word for word in selection.replace if not _may_have(part, word)]
    if lost:
        raise Refusal(
            [
                Problem(
                    "E2014",
                    f"`{word}` is to be replaced, but this plan leaves it out",
                    help=("name it with `--target` too, or take `--exclude` away",),
                )
                for word in lost
            ]
        )
    return part


def rows_of(
    stack: Stack, language: Language, rows: Sequence[ResourceRow], selection: Selection
) -> Sequence[ResourceRow]:
    """Return the rows that a plan looks at. Raises `Refusal` as `part_of` and `layout_of` do."""
    if not selection.partial:
        return rows
    part = part_of(selection, layout_of(stack, language).edges, rows)
    return [row for row in rows if part.has(row.name, row.address)]


def part_to_destroy(selection: Selection, rows: Sequence[ResourceRow]) -> Part:
    """Return the part of what stands that goes down: targets with all that stands on them.

    Raises:
        Refusal: with every name that is not there (E2013).
    """
    targets = [each for word in selection.targets for each in _standing_in(word, rows)]
    exclude = [each for word in selection.exclude for each in _standing_in(word, rows)]
    selection = Selection(tuple(targets), tuple(exclude))
    refuse_unknown([*selection.targets, *selection.exclude], [], rows)
    pulls: dict[str, list[str]] = {str(row.address): [] for row in rows}
    for row in rows:
        for need in row.needs:
            if need in pulls:
                pulls[need].append(str(row.address))
    return _part(selection, pulls, {str(row.address): row.name for row in rows}, set())


def refuse_unknown(words: Iterable[str], declared: Sequence[str], rows: Sequence[ResourceRow]) -> None:
    """Raise `Refusal` (E2013) with every word that names no resource, with those that it may have meant."""
    known: dict[str, None] = dict.fromkeys(declared)
    for row in rows:
        known |= {row.name: None, row.address: None}
    problems = [
        unknown(word, list(known))
        for word in dict.fromkeys(words)
        if word not in known and _name_of(word) not in declared
    ]
    if problems:
        raise Refusal(problems)


def unknown(word: str, known: Sequence[str]) -> Problem:
    """Return the problem of a word that names nothing, with those that it may have meant."""
    near = difflib.get_close_matches(word, known, n=_SHOWN, cutoff=0.5)
    near = near or [name for name in known if _name_of(name) == _name_of(word)][:_SHOWN]
    meant = " or ".join(f"`{name}`" for name in near)
    remedy = f"did you mean {meant}?" if near else "`dirigent ps` lists what stands"
    return Problem("E2013", f"there is no resource `{word}`", help=(remedy,))


def _part(
    selection: Selection, pulls: Mapping[str, Sequence[str]], names: Mapping[str, str], declared: set[str]
) -> Part:
    """Return the part; `pulls` says of each node what is in when it is, `names` that of each row."""
    whole: dict[str, None] | None = None
    single: dict[str, None] = {}
    if selection.targets:
        begin = _nodes(selection.targets, pulls, names)
        single = {word: None for word in selection.targets if word not in begin}
        found = _closure(
            [*begin, *(need for word in single for need in pulls.get(_name_of(word), ()))], pulls
        )
        whole = {node: None for node in found if node in declared}
        single |= {node: None for node in found if node not in declared}
    # Backwards for what stays: whoever brings in what is excluded cannot be in.
    pulled: dict[str, list[str]] = {node: [] for node in pulls}
    for node, brought in pulls.items():
        for other in brought:
            pulled.setdefault(other, []).append(node)
    stays = _nodes(selection.exclude, pulls, names)
    one = [word for word in selection.exclude if word not in stays]
    out = _closure([*stays, *(other for word in one for other in pulled.get(_name_of(word), ()))], pulled)
    names_without = {node: None for node in out if node in declared}
    without = {**dict.fromkeys(one), **{node: None for node in out if node not in declared}}
    return Part(whole, single, without, names_without)


def _nodes(
    words: Iterable[str], pulls: Mapping[str, Sequence[str]], names: Mapping[str, str]
) -> dict[str, None]:
    """Return the nodes that words name: themselves, or every row of that name."""
    nodes: dict[str, None] = {}
    for word in words:
        if word in pulls:
            nodes[word] = None
        else:
            nodes |= {address: None for address, name in names.items() if name == word and address in pulls}
            nodes |= {word: None} if any(names[address] == word for address in nodes) else {}
    return nodes


def _closure(begin: Iterable[str], pulls: Mapping[str, Sequence[str]]) -> dict[str, None]:
    found: dict[str, None] = {}
    pending = list(begin)
    while pending:
        node = pending.pop()
        if node not in found:
            found[node] = None
            pending.extend(pulls.get(node, ()))
    return found


def _may_have(part: Part, word: str) -> bool:
    name = _name_of(word)
    return part.touches(name) if word == name else part.has(name, word)


def _name_of(address: str) -> str:
    return declared_path(address)


def _without_modules(selection: Selection, edges: Edges) -> Selection:
    """Return a selection with all that lies in a module in its place. An instance stands for all of them."""
    if not any(is_whole(name) for name in edges):
        return selection
    exclude = [each for word in selection.exclude for each in _members(word, edges)]
    targets = [_whole(word, edges) for word in selection.targets]
    replace = [each for word in selection.replace for each in _members(word, edges)]
    return Selection(tuple(targets), tuple(exclude), tuple(replace))


def _whole(word: str, edges: Edges) -> str:
    name = whole_name(declared_path(word))
    return name if name in edges else word


def _members(word: str, edges: Edges) -> Iterable[str]:
    """Return the resources of a module, or the word where it names none."""
    if _whole(word, edges) == word:
        return (word,)
    inside = f"{declared_path(word)}/"
    return (name for name in edges if name.startswith(inside) and "$" not in name)


def _standing_in(word: str, rows: Sequence[ResourceRow]) -> Sequence[str]:
    """Return the instances that stand in a module, or the word where it names none."""
    inside = [str(row.address) for row in rows if word in modules_around(row.address)]
    return inside or [word]


def modules_around(address: str) -> Sequence[str]:
    """Return the modules that something lies in: as instances, all instances of each, and as declared."""
    found: list[str] = []
    module, _ = split_path(address)
    while module:
        found += [module, split_address(module)[0], declared_path(module)]
        module, _ = split_path(module)
    return found
