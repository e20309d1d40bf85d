"""The plan that takes rows from elsewhere: what others have made becomes ours, and the world stays as it is.

A row is written as it was given, but for what our own plans decide: whom a declared instance needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.model.ids import Address, PlanId, split_path
from dirigent.model.plan import Action, Change, Plan, identity
from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import MODULE_TYPE, Resource, ResourceRow, assemble
from dirigent.model.stack import Stack
from dirigent.model.values import Value, has_unknown
from dirigent.planning.expand import expand, repeats
from dirigent.planning.modules.layout import handed_down, layout_of
from dirigent.planning.modules.premises import Premises
from dirigent.planning.plan import constants
from dirigent.planning.request import Asking
from dirigent.planning.safety.touching import world_of
from dirigent.planning.values.evaluate import Job, render_all
from dirigent.planning.values.setups import absent
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


def declared_resources(stack: Stack, language: Language) -> dict[str, Resource]:
    """Return every resource that a stack and its modules declare, by its path as declared (`net/web`).

    Raises:
        Refusal: what is wrong with the references of the stack (E2001-E2004, E2009).
    """
    layout = layout_of(stack, language)
    layout.waves()
    return {
        home.at(name): replace(
            resource,
            name=home.at(name),
            provider=home.providers.get(resource.provider, resource.provider),
            lifecycle=handed_down(resource.lifecycle, home.lifecycle) if home.path else resource.lifecycle,
        )
        for home in layout.homes.values()
        for name, resource in home.stack.resources.items()
        if resource.type != MODULE_TYPE
    }


def declared_needs(
    stack: Stack, inputs: Mapping[str, Value], rows: Sequence[ResourceRow], language: Language
) -> Asking[dict[str, tuple[str, ...]]]:
    """Return the addresses that each declared resource will need, as a plan will see it with these rows.

    They are by the full name of the resource (`net["eu"]/web`). One whose instances hang on what is not
    known yet has those that stand.

    Raises:
        Refusal: what is wrong with references and repetition (E2001-E2009).
    """
    layout = layout_of(stack, language)
    premises = Premises(layout, constants(stack.name, inputs, tuple(stack.secrets)), language, None)
    alive = [row for row in rows if "#" not in row.address]
    shown = _shown(alive)
    needs: dict[str, tuple[str, ...]] = {}
    for wave in layout.waves():
        yield from premises.advance(wave)
        standing = premises.resources(wave)
        jobs = [Job(repeats(each.resource), each.place.scope, {}) for each in standing]
        rendered = yield from render_all(jobs, language)
        for each, repeated in zip(standing, rendered, strict=True):
            needs[each.resource.name] = tuple(str(address) for address in premises.needs(each))
            here = shown.get(each.place.address, {}).get(each.local, absent(each.resource))
            premises.stand(each, _addresses(each.resource, repeated.value, alive), here)
    return needs


def _shown(rows: Sequence[ResourceRow]) -> dict[str, dict[str, Value]]:
    """Return what `$resources` shows in each module, by its address."""
    local: dict[str, dict[str, Value]] = {}
    for row in rows:
        module, address = split_path(row.address)
        local.setdefault(module, {})[address] = row.attributes
    return {module: assemble(attributes) for module, attributes in local.items()}


def _addresses(resource: Resource, repeated: Value, rows: Sequence[ResourceRow]) -> tuple[Address, ...]:
    if has_unknown(repeated):
        return tuple(row.address for row in rows if row.name == resource.name)
    return tuple(each.address for each in expand(resource, repeated))


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
