"""A state becomes rows: every object that somebody manages, as our own provider would have left it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from dirigent.model.ids import DEPOSED, Address, address_of
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import ProviderSetup
from dirigent.model.values import Value
from dirigent.providers.tofu.provider.secrecy import LEAST, texts_in
from dirigent.providers.tofu.schema.shape import Schema
from dirigent.providers.tofu.state4.document import DATA, Document, Instance, declared_path, origin_of, shown
from dirigent.providers.tofu.state4.hiding import Hide, hidden, hidden_at, settable, without
from dirigent.providers.tofu.state4.kept import written
from dirigent.providers.tofu.state4.placing import Declared, Placed, placed
from dirigent.providers.tofu.state4.typed import read_attributes
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.paths import shown as path_shown

SchemaOf: TypeAlias = Callable[[ProviderSetup, str], Schema | None]
"""Gives the schema of a type of resources, None where the provider knows no such type."""

_NOTHING: Final = "nothing was imported"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import would bring.

    `names` says what Terraform calls a resource of ours, where that cannot be told from ours; `data` and
    `outputs` count what stays behind.
    """

    rows: tuple[ResourceRow, ...]
    names: Mapping[str, str]
    data: int = 0
    outputs: int = 0


def taken(document: Document, declared: Declared, schema_of: SchemaOf, hide: Hide) -> Taken:
    """Return the rows of a state. `hide` gives what stands for a sensitive value.

    Raises:
        Refusal: what `placing` refuses, E3060 for every object that does not fit its provider.
    """
    places = placed(document.managed, declared)
    rows: list[ResourceRow] = []
    problems: list[Problem] = []
    addresses = _addresses(places)
    for place in places:
        try:
            rows += _rows(place, _schema(place, schema_of), addresses, hide)
        except Refusal as refusal:
            problems += refusal.problems
    if problems:
        raise Refusal(problems)
    return Taken(
        tuple(sorted(rows, key=lambda row: row.address)),
        {
            place.name: place.entry.origin
            for place in places
            if place.entry.origin != origin_of(place.name, place.entry.type)
        },
        sum(len(entry.instances) for entry in document.entries if entry.mode == DATA),
        len(document.outputs),
    )


def _schema(place: Placed, schema_of: SchemaOf) -> Schema:
    schema = schema_of(place.provider, place.entry.type)
    if schema is None:
        raise refuse(
            "E3060",
            f"the provider `{place.provider.name}` knows no type `{place.entry.type}`, "
            f"of which `{place.entry.origin}` is",
            "look at its types with `dirigent providers schema`, and choose the release with `version`",
            _NOTHING,
        )
    return schema


def _addresses(places: Sequence[Placed]) -> dict[str, tuple[str, ...]]:
    """Return the addresses of our instances by what Terraform calls the resource, in whatever module."""
    found: dict[str, tuple[str, ...]] = {}
    for place in places:
        alive = [address_of(place.name, each.key) for each in place.entry.instances if not each.deposed]
        name = declared_path(place.entry.origin)
        found[name] = (*found.get(name, ()), *alive)
    return found


def _rows(
    place: Placed, schema: Schema, addresses: Mapping[str, Sequence[str]], hide: Hide
) -> list[ResourceRow]:
    rows: list[ResourceRow] = []
    problems: list[Problem] = []
    numbers: Counter[str] = Counter()
    for instance in place.entry.instances:
        address = address_of(place.name, instance.key)
        if instance.deposed:
            numbers[address] += 1
            number = "" if numbers[address] == 1 else str(numbers[address])
            address = Address(f"{address}{DEPOSED}{number}")
        try:
            attributes = _attributes(instance, schema, hide)
        except Misfit as misfit:
            problems += _unfit(shown(place.entry.origin, instance), place.provider, misfit).problems
            continue
        rows.append(
            ResourceRow(
                address=address,
                name=place.name,
                type=place.entry.type,
                config=settable(schema.block, attributes),
                attributes=attributes,
                key=instance.key,
                needs=_needs(instance, addresses),
                private=written(
                    place.provider.source, instance, hide(instance.private) if instance.private else None
                ),
                protect=bool(place.resource and place.resource.lifecycle.protect and not instance.deposed),
                tainted=instance.tainted,
                provider=place.provider.name,
                create_first=instance.create_first,
            )
        )
    if problems:
        raise Refusal(problems)
    return rows


def _attributes(instance: Instance, schema: Schema, hide: Hide) -> dict[str, Value]:
    """Return the attributes; those of an older schema as they are, for the provider to bring up to date."""
    if instance.version > schema.version:
        raise Misfit((), f"was written by a later release, with version {instance.version} of its schema")
    found = instance.attributes
    if instance.version == schema.version:
        found = read_attributes(schema.block, found)
    texts: dict[str, None] = {}

    def noted(value: Value) -> Value:
        texts.update(dict.fromkeys(each for each in texts_in(value) if len(each) >= LEAST))
        return hide(value)

    found = hidden(schema.block, found, noted)
    for path in instance.sensitive:
        found = hidden_at(found, path, noted)
    return {name: without(value, texts, hide) for name, value in found.items()} if texts else found


def _needs(instance: Instance, addresses: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the addresses that an object depended on. What was only looked up is none."""
    named = (addresses.get(declared_path(each), ()) for each in instance.dependencies)
    return tuple(dict.fromkeys(address for each in named for address in each))


def _unfit(address: str, setup: ProviderSetup, misfit: Misfit) -> Refusal:
    return refuse(
        "E3060",
        f"`{address}` does not fit what the provider `{setup.name}` says of its type: {_said(misfit)}",
        f"choose the release of `{setup.source}` that wrote it, with `version` under `providers`",
        _NOTHING,
    )


def _said(misfit: Misfit) -> str:
    """Return where something does not fit, and how; never the value, which may be a secret."""
    where = f"`{path_shown(misfit.path)}` " if misfit.path else ""
    return where + misfit.message.partition(", not `")[0]
