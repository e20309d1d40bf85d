"""What a provider knows of a type, as a person sees it: ids to import by, and what of it is managed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.resource import ResourceRow
from dirigent.model.values import SecretText, Value
from dirigent.ports.importing import Found, Inventory
from dirigent.providers.tofu.lifecycle.listing import Listed, listed
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.rows import kept_of
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.shape import Attribute, Block, Schema
from dirigent.providers.tofu.values.paths import shown


def unready(talk: Conversation, type_name: str, done: str) -> Refusal:
    """Return the refusal of what a provider would have to be configured for."""
    return refuse(
        "E2021",
        f"a `{type_name}` cannot be {done} before its provider `{talk.name}` can be configured",
        "bring up first what the configuration of the provider hangs on",
    )


async def inventory_of(
    talk: Conversation, type_name: str, wanted: Mapping[str, Value], rows: Sequence[ResourceRow], most: int
) -> Inventory:
    """Return what there is of a type. Raises `Refusal` (E3012, E3047), and as `listed` does."""
    lists, schema = (await talk.schemas()).lists, await talk.schema(type_name)
    if type_name not in lists:
        there = ", ".join(f"`{name}`" for name in lists)
        raise refuse(
            "E3047",
            f"the provider `{talk.name}` cannot list what there is of `{type_name}`",
            f"it lists {there}" if there else "it lists nothing; newer releases may",
        )
    clear = talk.secrecy.reveal(dict(wanted))
    given, odd = configured(lists[type_name].block, clear if isinstance(clear, dict) else {})
    if odd:
        whose = f"the list of `{type_name}`"
        raise Refusal([Problem("E3012", f"`{shown(each.path)}` of {whose} {each.message}") for each in odd])
    found = await talk.ask(lambda session: listed(session, type_name, given, objects=True, most=most))
    for row in rows:
        talk.secrecy.reveal(dict(row.config))
    managed = [(str(row.address), row, kept_of(row, talk.secrecy).identity) for row in rows]
    objects = tuple(_found(talk, schema, each, managed) for each in found.objects)
    return Inventory(objects, found.whole)


def _found(
    talk: Conversation,
    schema: Schema,
    each: Listed,
    managed: Sequence[tuple[str, ResourceRow, dict[str, Value] | None]],
) -> Found:
    state = each.state or {}
    talk.secrecy.learn(schema.block, state)
    number = state.get("id")
    address = next(
        (
            address
            for address, row, identity in managed
            if (each.identity is not None and identity == each.identity)
            or (number is not None and row.attributes.get("id") == number)
        ),
        "",
    )
    under = str(number or "") if each.identity is None else json.dumps(each.identity, default=str)
    withheld = talk.secrecy.withheld
    seen = talk.secrecy.hide(schema.block, state)
    config = declared(schema.block, seen) if each.state is not None else None
    return Found(withheld(under), withheld(each.name), address, config)


def declared(block: Block, state: Mapping[str, Value]) -> dict[str, Value]:
    """Return by what an object could be declared: what a person sets, and does not leave to its provider."""
    found = {
        name: state[name]
        for name, each in block.attributes.items()
        if _says(each) and state.get(name) is not None and _open(state[name])
    }
    for name, nested in block.blocks.items():
        value = state.get(name)
        inner = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        if inner:
            found[name] = [declared(nested.block, each) for each in inner]
        elif isinstance(value, dict) and value.keys() <= {*nested.block.attributes, *nested.block.blocks}:
            found[name] = declared(nested.block, value)
    return found


def _says(attribute: Attribute) -> bool:
    own = attribute.required or (attribute.optional and not attribute.computed)
    return own and not attribute.sensitive and not attribute.write_only and attribute.nested is None


def _open(value: Value) -> bool:
    """Return whether nothing in a value is hidden."""
    match value:
        case SecretText():
            return False
        case list():
            return all(map(_open, value))
        case dict():
            return all(map(_open, value.values()))
        case _:
            return True
