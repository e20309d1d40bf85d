"""The types of the zoo: a schema, and how their objects behave. Together they have one of everything.

`defaults` are values that the provider puts where a configuration says nothing; every other computed
value is unknown until the object is made. `forces` are paths that want a new object. An `old` type
is one of the old kit: it normalises texts, and turns what was left out into zeros.
"""

from dataclasses import dataclass, field

from dirigent.providers.tofu.schema.shape import Attribute, Block, Nested, NestedBlock, Nesting, collected
from dirigent.providers.tofu.values.types import BOOL, DYNAMIC, NUMBER, STRING, Collection, Kind, Structure


@dataclass(frozen=True)
class Key:
    """A key of a map in a path; the protocol tells it from the name of an attribute."""

    key: str


@dataclass(frozen=True)
class Species:
    """One type."""

    block: Block
    defaults: dict[str, object] = field(default_factory=dict)
    forces: tuple[tuple[str | int | Key, ...], ...] = ()
    old: bool = False


def needed(name, kind=STRING):
    return name, Attribute(name, kind, required=True)


def free(name, kind=STRING, **more):
    return name, Attribute(name, kind, optional=True, **more)


def open_(name, kind=STRING):
    return name, Attribute(name, kind, optional=True, computed=True)


def told(name, kind=STRING):
    return name, Attribute(name, kind, computed=True)


def block(name, nesting, *attributes, blocks=()):
    return name, NestedBlock(name, Block(dict(attributes), dict(blocks)), nesting)


def members(name, nesting, *attributes):
    inner = dict(attributes)
    return name, Attribute(name, collected(inner, nesting), Nested(inner, nesting), required=True)


LIST, SET, MAP = (lambda kind, each=each: Collection(each, kind) for each in Kind)
BASE = (told("id"), needed("name"), told("revision", NUMBER))

SPECIES = {
    "zoo_cat": Species(
        Block(
            dict(
                [
                    *BASE,
                    free("size", NUMBER),
                    free("tame", BOOL),
                    free("tags", MAP(STRING)),
                    free("toys", LIST(STRING)),
                    free("marks", SET(STRING)),
                    free("home", Structure({"street": STRING, "number": NUMBER})),
                    free("any", DYNAMIC),
                    free("chip", sensitive=True),
                    open_("mood"),
                    open_("food", LIST(STRING)),
                    open_("note"),
                ]
            )
        ),
        defaults={"mood": "calm", "food": ["mice"]},
        forces=(("name",), ("chip",), ("tags", Key("breed")), ("home", "street")),
    ),
    "zoo_house": Species(
        Block(
            dict([*BASE, free("floors", NUMBER)]),
            dict(
                [
                    block(
                        "door",
                        Nesting.LIST,
                        needed("number", NUMBER),
                        told("key"),
                        open_("colour"),
                        blocks=[block("hinge", Nesting.LIST, needed("size", NUMBER), told("mark"))],
                    ),
                    block("guest", Nesting.SET, needed("who"), free("pin", sensitive=True), told("badge")),
                    block("room", Nesting.MAP, free("area", NUMBER), told("plan")),
                    block("roof", Nesting.SINGLE, free("flat", BOOL), open_("colour")),
                    block("land", Nesting.GROUP, free("area", NUMBER), free("owner")),
                ]
            ),
        ),
        defaults={"colour": "white"},
        forces=(("name",), ("door", 0, "number"), ("roof", "flat")),
    ),
    # Terraform 1.0.3 breaks off at maps and sets of nested attributes, and at those that become null.
    "zoo_nest": Species(
        Block(
            dict(
                [
                    *BASE,
                    members("one", Nesting.SINGLE, free("a"), open_("b"), told("c")),
                    members("row", Nesting.LIST, needed("a"), open_("b"), told("c")),
                ]
            )
        ),
        defaults={"b": "bee"},
        forces=(("name",), ("one", "a")),
    ),
    "old_cat": Species(
        Block(dict([*BASE, free("size", NUMBER), free("note"), open_("mood"), free("tags", MAP(STRING))])),
        defaults={"mood": "calm"},
        forces=(("name",), ("note",)),
        old=True,
    ),
}
