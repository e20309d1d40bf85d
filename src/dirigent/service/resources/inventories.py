"""What the providers of a stack know, beside what is managed; and how it is taken over."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import keeper_of
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.planning.plan import setups_standing
from dirigent.ports.importing import Found, Inventory, Listing
from dirigent.ports.resources import Configurable, ProviderFailed
from dirigent.service.asking import carry
from dirigent.service.plans import Planner


@dataclass(frozen=True, slots=True)
class Query:
    """A type and what to ask with; `provider` is the entry to ask, empty for that of the prefix."""

    type: str
    provider: str = ""
    wanted: tuple[tuple[str, Value], ...] = ()
    most: int = 1000


async def inventory(planner: Planner, stack: Stack, inputs: Mapping[str, Value], query: Query) -> Inventory:
    """Return what there is of a type.

    Raises:
        Refusal: E2039 when no provider of the stack is asked, E3047 when it cannot list the type, and what
            the provider says.
    """
    name = query.provider or query.type.partition("_")[0]
    rows = await planner.shelf.rows()
    if name not in stack.providers:
        there = ", ".join(f"`{each}`" for each in stack.providers) or "none"
        raise refuse(
            "E2039",
            f"the stack has no provider `{name}`, which would list `{query.type}`",
            f"there are: {there}; name one with `--provider`",
        )
    asking = setups_standing(stack, inputs, rows, planner.language)
    setups = await carry(asking, planner.providers, planner.oracle)
    provider = planner.providers[keeper_of(query.type, name)]
    asked = provider.configured(setups.get(name, {})) if isinstance(provider, Configurable) else provider
    if not isinstance(asked, Listing):
        raise refuse("E3047", f"the provider `{name}` cannot list what there is of `{query.type}`")
    same = [row for row in rows if row.type == query.type and not row.reads]
    try:
        return await asked.inventory(query.type, dict(query.wanted), same, query.most)
    except ProviderFailed as failure:
        raise refuse("E3002", f"`{query.type}` could not be listed: {failure}") from None


def written(query: Query, found: Sequence[Found], taken: Sequence[str]) -> str:
    """Return what takes over that which is not managed, as a part of a stack file; empty for nothing.

    `taken` are the names that resources have already. What would be an expression is left out.
    """
    resources: list[str] = []
    imports: list[str] = []
    names = dict.fromkeys(taken)
    for each in found:
        if each.address or not each.id or "${" in each.id:
            continue
        name = _free(_name_of(each.name or query.type), names)
        names[name] = None
        resources += [f"  {name}:", f"    type: {query.type}"]
        resources += [f"    provider: {query.provider}"] if query.provider else []
        config = {key: value for key, value in (each.config or {}).items() if "${" not in json.dumps(value)}
        if config:
            resources.append("    with:")
            resources += [f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in config.items()]
        imports.append(f"  - {{to: {name}, id: {json.dumps(each.id)}}}")
    if not imports:
        return ""
    return "\n".join(["resources:", *resources, "import:", *imports, ""])


def _name_of(text: str) -> str:
    """Return a text as the name of a resource."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    return name if name and name[0].isalpha() else f"found-{name}".strip("-")


def _free(name: str, names: Mapping[str, None]) -> str:
    found, number = name, 1
    while found in names:
        number += 1
        found = f"{name}-{number}"
    return found
