"""A resource as it is declared, and as it was last applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Final

from dirigent.model.ids import Address, split_address
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template, Value

# The type of a resource that is a stack itself.
MODULE_TYPE: Final = "stack"

# How the type of what is opened, or called, begins: a provider may have resources of the same name.
OPEN: Final = "open "
CALL: Final = "call "


class Replace(Enum):
    """Which comes first when an instance must be made anew."""

    DELETE_FIRST = "delete-first"
    CREATE_FIRST = "create-first"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Rules that hold for a resource whatever its type. `ignore` lists paths, as `env.LEVEL`.

    An instance is made anew when the value of an expression of `replace_when` changes.
    """

    protect: bool = False
    replace: Replace = Replace.DELETE_FIRST
    ignore: tuple[str, ...] = ()
    replace_when: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A condition, and what is said when it does not hold.

    One of an instance is asked `before` it is changed, or after, when it sees the instance as `$self`; one
    that only `warns` stops nothing. One of a stack has a `name`, and always only warns.
    """

    that: Expression
    message: Template
    before: bool = False
    warns: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One entry of `resources`. `config` is every property that belongs to the type.

    `spans` maps the path of each key and value of the configuration (`with.health.http`) to its place.
    `provider` names the configuration of the provider that manages it, empty for a type of ours.
    `identity` is the id under which a provider imports the object, with `{attribute}` for what the
    configuration says: by it a creation is looked up of which nobody knows whether it happened.
    `reads` marks what is only looked up, and never changed: a data source of its provider.
    """

    name: str
    type: str
    config: dict[str, Template]
    needs: tuple[str, ...] = ()
    count: int | Expression | None = None
    each: Template = None
    lifecycle: Lifecycle = Lifecycle()
    span: Span | None = None
    spans: dict[str, Span] = field(default_factory=dict)
    provider: str = ""
    identity: str = ""
    reads: bool = False
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One instance as it was last applied: the state of the world that we answer for.

    `name` is the address without the key; in a module both are paths (`net["eu"]/web`).

    `config` is the evaluated configuration that was applied, `attributes` what the provider
    reported (the value of `$resources.NAME`), `private` what only the provider understands.
    `needs` are the addresses it depended on, for destruction in reverse. `tainted` marks an
    instance whose creation failed half-way: it is replaced at the next plan. `provider` names the
    configuration of the provider that manages it, empty for a type of ours. `reads` marks what was only
    looked up. `triggers` are the values of `lifecycle.replace-when` when it was applied, by their text.
    `create_first` remembers that its successor is to be made before it goes, as its lifecycle or what stands
    on it demanded: that holds when the declaration is gone.
    """

    address: Address
    name: str
    type: str
    config: dict[str, Value]
    attributes: dict[str, Value]
    key: int | str | None = None
    needs: tuple[str, ...] = ()
    private: Value = None
    protect: bool = False
    tainted: bool = False
    provider: str = ""
    reads: bool = False
    triggers: dict[str, Value] = field(default_factory=dict)
    create_first: bool = False


def keeper_of(type_name: str, provider: str) -> str:
    """Return the key under which the provider of an instance is found: its type, or its configuration."""
    return f"{provider}:" if provider else type_name


def value_of(row: ResourceRow) -> Value:
    """Return a row as a value: what the program of an adoption sends; `row_of` is the inverse."""
    return {
        "name": row.name,
        "type": row.type,
        "key": row.key,
        "config": row.config,
        "attributes": row.attributes,
        "needs": [*row.needs],
        "private": row.private,
        "protect": row.protect,
        "tainted": row.tainted,
        "provider": row.provider,
        "createFirst": row.create_first,
    }


def row_of(address: str, value: Value) -> ResourceRow:
    """Return the row that a value stands for. Raises `TypeError` for what `value_of` has not written."""
    match value:
        case {
            "name": str() as name,
            "type": str() as kind,
            "key": None | int() | str() as key,
            "config": dict() as config,
            "attributes": dict() as attributes,
            "needs": list() as needs,
            "private": private,
            "protect": bool() as protect,
            "tainted": bool() as tainted,
            "provider": str() as provider,
            **more,
        }:
            return ResourceRow(
                address=Address(address),
                name=name,
                type=kind,
                config=config,
                attributes=attributes,
                key=key,
                needs=tuple(str(each) for each in needs),
                private=private,
                protect=protect,
                tainted=tainted,
                provider=provider,
                create_first=more.get("createFirst") is True,
            )
        case _:
            raise TypeError(f"`{address}` is to adopt what is no row")


def assemble(attributes: Mapping[str, Value]) -> dict[str, Value]:
    """Return what `$resources` shows, by name, from the attributes by address, sorted by address.

    `web` is itself; `web[0]`, `web[1]` make a list under `web`, where None stands for an instance
    that is missing; `web["eu"]` makes an object. An empty list or object under the plain name
    `web` gives the shape when there is no instance. What is no address (`delete web`: a blank
    before any bracket) is left out, and so is what lies in a module.
    """
    assembled: dict[str, Value] = {}
    for address in sorted(attributes):
        name, key = split_address(address)
        value = attributes[address]
        shape = assembled.get(name)
        if " " in name or "/" in name:
            continue
        if key is None:
            assembled[name] = value.copy() if isinstance(value, list | dict) else value
        elif isinstance(key, str):
            if not isinstance(shape, dict):
                assembled[name] = shape = {}
            shape[key] = value
        else:
            if not isinstance(shape, list):
                assembled[name] = shape = []
            shape.extend([None] * (key + 1 - len(shape)))
            shape[key] = value
    return assembled
