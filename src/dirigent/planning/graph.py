"""Who needs whom: edges from references and `needs`, cycles, and a stable order.

Ties are broken by declaration; no set is ever iterated, so the order is the same in every process.
Nothing here recurses: 10,000 resources in one chain are a list like any other.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterator, Mapping, Sequence

from dirigent.model.problem import Label, Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import Check, Resource
from dirigent.model.stack import ProviderSetup
from dirigent.model.values import Expression, Template, leaves
from dirigent.ports import ExpressionFailed, Language

Edges = Mapping[str, Sequence[str]]


def edges_of(
    resources: Mapping[str, Resource],
    language: Language,
    providers: Mapping[str, ProviderSetup] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return what each resource needs, by name, in the order of mention; its provider's needs are its own.

    Raises:
        Refusal: with every unknown name (E2002), dynamic reference (E2003) and broken text (E2004).
    """
    problems: list[Problem] = []
    edges = {
        name: tuple(
            dict.fromkeys(_mentioned(resource, Declared(resources, providers or {}), language, problems))
        )
        for name, resource in resources.items()
    }
    if problems:
        raise Refusal(problems)
    return edges


def ordered(edges: Edges) -> list[str]:
    """Return all names, each after what it needs, otherwise as declared; those on a cycle are left out."""
    place = {name: index for index, name in enumerate(edges)}
    inner = {name: _inner(needs, place) for name, needs in edges.items()}
    waiting = {name: len(needs) for name, needs in inner.items()}
    dependents: dict[str, list[str]] = {name: [] for name in edges}
    for name, needs in inner.items():
        for need in needs:
            dependents[need].append(name)
    names = list(edges)
    ready = [place[name] for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for dependent in dependents[name]:
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                heapq.heappush(ready, place[dependent])
    return order


def cycle_in(edges: Edges) -> tuple[str, ...]:
    """Return the names of one cycle, each needing the next and the last the first; empty without one."""
    free = set(ordered(edges))
    stuck = [name for name in edges if name not in free]
    if not stuck:
        return ()
    seen: dict[str, int] = {}
    name = stuck[0]
    while name not in seen:
        seen[name] = len(seen)
        # Whoever is stuck needs somebody who is stuck, so this walk ends on a cycle.
        name = next(need for need in edges[name] if need in edges and need not in free)
    return tuple(list(seen)[seen[name] :])


def waves(edges: Edges) -> list[list[str]]:
    """Return the names in layers: each needs only names of earlier layers. There must be no cycle."""
    level: dict[str, int] = {}
    layers: list[list[str]] = []
    place = {name: index for index, name in enumerate(edges)}
    for name in ordered(edges):
        depth = max((level[need] + 1 for need in _inner(edges[name], place)), default=0)
        level[name] = depth
        if depth == len(layers):
            layers.append([])
        layers[depth].append(name)
    return [sorted(layer, key=place.__getitem__) for layer in layers]


def refuse_cycle(resources: Mapping[str, Resource], edges: Edges) -> None:
    """Raise `Refusal` (E2001) that names the cycle, if there is one."""
    cycle = cycle_in(edges)
    if not cycle:
        return
    shown = " needs ".join(f"`{name}`" for name in (*cycle, cycle[0]))
    others = [(name, resources[name].span) for name in cycle[1:]]
    raise Refusal(
        [
            Problem(
                "E2001",
                f"resources need each other in a circle: {shown}",
                at=resources[cycle[0]].span,
                others=tuple(Label(span, f"`{name}` is part of it") for name, span in others if span),
                help=("take one reference or one `needs` out of the circle",),
            )
        ]
    )


def _inner(needs: Sequence[str], place: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(need for need in dict.fromkeys(needs) if need in place)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a stack declares."""

    resources: Mapping[str, Resource]
    providers: Mapping[str, ProviderSetup]


def _mentioned(
    resource: Resource, declared: Declared, language: Language, problems: list[Problem]
) -> Iterator[str]:
    """Yield the names that a resource needs; what is wrong with a mention goes to `problems`."""
    resources = declared.resources
    for name in resource.needs:
        if name in resources:
            yield name
        else:
            problems.append(_unknown(resource, name, resources))
    setup = declared.providers.get(resource.provider)
    for expression in (*expressions_of(resource), *(_expressions(setup.config) if setup else ())):
        try:
            references = language.compile(expression.text).references
        except ExpressionFailed as failure:
            problems.append(Problem("E2004", f"`{expression.text}`: {failure}", at=expression.span))
            continue
        # The references are a set: sorted, they are the same in every process.
        members = sorted(member or "" for variable, member in references if variable == "resources")
        for member in members:
            if not member:
                problems.append(_dynamic(expression))
            elif member in resources:
                yield member
            else:
                problems.append(_unknown(resource, member, resources, expression))


def expressions_of(resource: Resource) -> Iterator[Expression]:
    """Yield every expression of a resource: of `count`, of `each`, of its configuration, of its rules."""
    templates: tuple[Template, ...] = (
        resource.count,
        resource.each,
        resource.config,
        *resource.lifecycle.replace_when,
        *templates_of_checks(resource.checks),
    )
    for template in templates:
        yield from _expressions(template)


def templates_of_checks(checks: Sequence[Check]) -> tuple[Template, ...]:
    """Return all in checks that may hold expressions."""
    return tuple(template for check in checks for template in (check.that, check.message))


def _expressions(template: Template) -> Iterator[Expression]:
    return (leaf for leaf in leaves(template) if isinstance(leaf, Expression))


def _unknown(
    resource: Resource,
    name: str,
    resources: Mapping[str, Resource],
    expression: Expression | None = None,
) -> Problem:
    near = difflib.get_close_matches(name, list(resources), n=1)
    return Problem(
        "E2002",
        f"`{resource.name}` needs `{name}`, which is not a resource of this stack",
        at=(expression.span if expression else None) or resource.span,
        label="not found",
        help=(f"did you mean `{near[0]}`?",) if near else ("declare it under `resources`",),
    )


def _dynamic(expression: Expression) -> Problem:
    return Problem(
        "E2003",
        f"`{expression.text}` takes `$resources` as a whole, so nobody can tell what it needs",
        at=expression.span,
        help=('name the resource: `$resources.NAME`, or `$resources["NAME"]`',),
    )
