"""The plan that takes rows from elsewhere: what others have made becomes ours, and the world stays as it is.

A row is written as it was given, but for what our own plans decide: whom a declared instance needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from dirigent.model.ids import PlanId, split_address
from dirigent.model.plan import Action, Change, Plan, identity
from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import ResourceRow, assemble
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.planning import graph
from dirigent.planning.expand import expand, repeats
from dirigent.planning.plan import constants
from dirigent.planning.request import Asking
from dirigent.planning.safety.touching import world_of
from dirigent.planning.values.evaluate import Scope, has_unknown, render
from dirigent.ports import Language


def plan_adoption(
    stack: str, rows: Sequence[ResourceRow], standing: Sequence[ResourceRow], at: float, *, replacing: bool
) -> Plan:
    """Return the plan that adopts rows beside those that stand.

    Raises:
        Refusal: E3058 for every row that would take the place of another one, unless `replacing`.
    """
    by_address = {row.address: row for row in standing}
    problems = [
        _taken(row, by_address[row.address])
        for row in rows
        if not replacing and row.address in by_address and by_address[row.address] != row
    ]
    if problems:
        raise Refusal(problems)
    changes = tuple(_change(row, by_address.get(row.address)) for row in rows)
    made = Plan(PlanId(""), stack, at, changes, world_of(changes, standing))
    return replace(made, id=identity(made))


def declared_needs(
    stack: Stack, inputs: Mapping[str, Value], rows: Sequence[ResourceRow], language: Language
) -> Asking[dict[str, tuple[str, ...]]]:
    """Return the addresses that each declared resource will need, as a plan will see it with these rows.

    A resource whose instances hang on what is not known yet has those that stand.

    Raises:
        Refusal: what is wrong with references and repetition (E2001-E2009).
    """
    edges = graph.edges_of(stack.resources, language)
    graph.refuse_cycle(stack.resources, edges)
    scope = Scope(constants(stack.name, inputs, tuple(stack.secrets)))
    standing = {str(row.address): row.attributes for row in rows if "#" not in row.address}
    for name, value in assemble(cast("dict[str, Value]", standing)).items():
        scope.show(name, value)
    declared = list(stack.resources.values())
    rendered = yield from render([(repeats(each), {}) for each in declared], scope, language)
    addresses: dict[str, tuple[str, ...]] = {}
    for resource, repeated in zip(declared, rendered, strict=True):
        if has_unknown(repeated.value):
            known = (address for address in standing if split_address(address)[0] == resource.name)
            addresses[resource.name] = tuple(known)
        else:
            addresses[resource.name] = tuple(each.address for each in expand(resource, repeated.value))
    return {name: tuple(each for need in edges[name] for each in addresses[need]) for name in stack.resources}


def _change(row: ResourceRow, prior: ResourceRow | None) -> Change:
    same = prior == row
    because = "made elsewhere" if prior is None else "takes the place of what is known here"
    return Change(
        address=row.address,
        name=row.name,
        type=row.type,
        action=Action.KEEP if same else Action.ADOPT,
        key=row.key,
        prior=prior,
        because="" if same else because,
        protect=row.protect,
        adopts=None if same else row,
    )


def _taken(row: ResourceRow, prior: ResourceRow) -> Problem:
    same = prior.type == row.type and prior.attributes.get("id") == row.attributes.get("id")
    told = "known here already, and differs" if same else "known here already, and is another object"
    return Problem(
        "E3058",
        f"`{row.address}` is {told}",
        help=(
            "add `--replace` to take what the state says in its place: what is known here is then forgotten",
            "nothing was imported",
        ),
    )
