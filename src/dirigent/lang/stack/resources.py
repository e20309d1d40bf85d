"""The section `resources`: entries become `Resource`s, with the place of every property."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.checks.reading import read_checks
from dirigent.lang.stack.cycles import cycle_problems
from dirigent.lang.stack.expressions import template
from dirigent.lang.stack.mentions import Use
from dirigent.lang.stack.outside.looking import looked_up
from dirigent.lang.stack.outside.providers import provider_of
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.stack.shapes import COMMON
from dirigent.lang.tree import Items, Leaf, Member, Members, Node, plain
from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.resource import Lifecycle, Replace, Resource
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template

_PLAIN_SEGMENT: Final = re.compile(r'[^.\[\]"]+')


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the section with what it depends on: each name with the place of its mention."""

    resource: Resource
    edges: dict[str, Span]


def read_resources(reading: Reading, found: Members | None) -> dict[str, Resource]:
    """Return the resources in the order of the file; report cycles and what else only all of them show."""
    entries: dict[str, _Entry] = {}
    for member in found or ():
        entry = mapping_of(member.node)
        if entry is not None:
            entries[member.key] = _read(reading, member, entry)
    # A module is no barrier: whether a circle leads through one, only its inputs and outputs can tell.
    edges = {
        name: {need: span for need, span in entry.edges.items() if need not in reading.modules}
        for name, entry in entries.items()
        if name not in reading.modules
    }
    for problem in cycle_problems(edges):
        reading.report(problem)
    return {name: entry.resource for name, entry in entries.items()}


def _read(reading: Reading, member: Member, entry: Members) -> _Entry:
    name = member.key
    repeated = _check_repetition(reading, name, entry)
    use = Use(f"`{name}`", name, each=repeated)
    config: dict[str, Template] = {}
    inside = mapping_of(entry.get("with"))
    for property_ in inside or ():
        config[property_.key] = template(reading, property_.node, use)
    for property_ in entry:
        if property_.key not in COMMON:
            config[property_.key] = template(reading, property_.node, use)
    lifecycle = mapping_of(entry.get("lifecycle"))
    count, each = _repetition(reading, name, entry, use)
    needs = _needs(reading, name, entry.get("needs"), use.found)
    watched = _watched(reading, lifecycle, use)
    checks = read_checks(reading, entry, use)
    own = use.found.pop(name, None)
    if own is not None and name not in reading.modules:
        message = f"`{name}` refers to itself"
        reading.complain(
            "E1406", message, own, "this is the resource itself", "use another resource, or an input"
        )
    resource = Resource(
        name=name,
        type=_type(entry),
        config=config,
        needs=needs,
        count=count,
        each=each,
        lifecycle=replace(_lifecycle(entry.get("lifecycle")), replace_when=watched),
        span=member.key_span,
        spans=_spans(entry),
        provider=_provider(reading, name, entry),
        reads=entry.get("type") is None and looked_up(entry) is not None,
        identity=text_of(lifecycle.get("identity")) or "" if lifecycle is not None else "",
        checks=checks,
    )
    return _Entry(resource, use.found)


def _provider(reading: Reading, name: str, entry: Members) -> str:
    """Return the provider of a resource; report one that is not declared (E1423)."""
    named = text_of(entry.get("provider"))
    place = entry.members.get("provider")
    if named is not None and place is not None and named not in reading.providers:
        meant = nearest(named, list(reading.providers))
        reading.complain(
            "E1423",
            f"`{name}` is to be managed by `{shortened(named)}`, which is no provider of this stack",
            place.node.span,
            f"did you mean `{meant}`?" if meant else "not declared",
            f"change it to `{meant}`" if meant else f"declare `{shortened(named)}` under `providers`",
        )
        return ""
    return provider_of(_type(entry), named, reading.providers)


def _type(entry: Members) -> str:
    found = looked_up(entry)
    return text_of(entry.get("type")) or (found.type if found is not None else "")


def _check_repetition(reading: Reading, name: str, entry: Members) -> bool:
    count, each = entry.members.get("count"), entry.members.get("each")
    if count is not None and each is not None:
        first, second = sorted((count, each), key=lambda member: member.key_span)
        reading.complain_beside(
            Problem(
                "E1407",
                f"`{name}` has both `count` and `each`",
                at=second.key_span,
                label="only one of them may stand",
                help=("keep `each` if the instances have names, `count` if they are all alike",),
            ),
            (Label(first.key_span, "the other one"),),
        )
    return count is not None or each is not None


def _repetition(
    reading: Reading, name: str, entry: Members, use: Use
) -> tuple[int | Expression | None, Template]:
    sober = Use(f"`{name}`", name, decides="the number of instances", found=use.found)
    count = template(reading, entry.get("count"), sober)
    each = template(reading, entry.get("each"), sober)
    usable = isinstance(count, Expression) or (isinstance(count, int) and not isinstance(count, bool))
    return (count if usable and isinstance(count, int | Expression) else None), each


def _needs(reading: Reading, name: str, node: Node | None, found: dict[str, Span]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for item in node.items if isinstance(node, Items) else ():
        need = text_of(item)
        if need is None:
            continue
        if need in reading.resources:
            names[need] = None
            found.setdefault(need, item.span)
        else:
            _report_need(reading, name, need, item.span)
    return tuple(names)


def _report_need(reading: Reading, name: str, need: str, at: Span) -> None:
    meant = nearest(need, [other for other in reading.resources if other != name])
    reading.complain_beside(
        Problem(
            "E1404",
            f"`{name}` needs `{shortened(need)}`, which is not a resource of this stack",
            at,
            f"did you mean `{meant}`?" if meant else "not declared",
            help=(f"change it to `{meant}`",) if meant else ("name a resource of this file",),
        ),
        (Label(reading.resources[meant], "a resource with a similar name"),) if meant else (),
    )


def _watched(reading: Reading, lifecycle: Members | None, use: Use) -> tuple[Expression, ...]:
    """Return the expressions of `replace-when`."""
    node = lifecycle.get("replace-when") if lifecycle is not None else None
    items = node.items if isinstance(node, Items) else ()
    found = (template(reading, item, use) for item in items)
    return tuple(each for each in found if isinstance(each, Expression))


def _lifecycle(node: Node | None) -> Lifecycle:
    found = plain(node) if isinstance(node, Members) else {}
    if not isinstance(found, dict):
        return Lifecycle()
    ignore = found.get("ignore")
    create_first = found.get("replace") == Replace.CREATE_FIRST.value
    return Lifecycle(
        protect=found.get("protect") is True,
        replace=Replace.CREATE_FIRST if create_first else Replace.DELETE_FIRST,
        ignore=tuple(str(path) for path in ignore) if isinstance(ignore, list) else (),
    )


def _spans(entry: Members) -> dict[str, Span]:
    """Return the place of everything by its path: of a value if it is a scalar, else of its key."""
    spans: dict[str, Span] = {}
    pending: list[tuple[str, Node, Span]] = [
        (_below("", member.key), member.node, member.key_span) for member in entry
    ]
    while pending:
        path, node, where = pending.pop()
        if isinstance(node, Members):
            spans[path] = where
            pending.extend((_below(path, member.key), member.node, member.key_span) for member in node)
        elif isinstance(node, Items):
            spans[path] = where
            pending.extend((f"{path}[{index}]", item, item.span) for index, item in enumerate(node.items))
        else:
            spans[path] = node.span if isinstance(node, Leaf) and node.value is not None else where
    return spans


def _below(path: str, key: str) -> str:
    if not _PLAIN_SEGMENT.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
