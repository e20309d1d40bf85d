"""Blocks of all kinds, and what people might write for them: mostly right, sometimes not."""

from dataclasses import replace

from hypothesis import strategies as some

from dirigent.model.values import Unknown
from dirigent.providers.tofu.schema.shape import (
    Attribute,
    Block,
    Nested,
    NestedBlock,
    Nesting,
    Schema,
    collected,
)
from dirigent.providers.tofu.values.types import Collection, Kind, Primitive, Row, Structure
from providers.tofu.samples import NAMES, TYPES

# Required, optional, computed: as providers combine them.
RIGHTS = some.sampled_from(
    [(True, False, False), (False, True, False), (False, True, True), (False, False, True)]
)
WORDS = some.sampled_from(["", "What it is for.", "use `x`\ninstead"])
ODD = some.sampled_from(
    [None, True, 7, 1.5, "text", "7", "true", [], {}, [[]], [None], {"a": None}, Unknown()]
)


@some.composite
def attributes(draw, deep=True):
    required, optional, computed = draw(RIGHTS)
    nested = None
    kind = draw(TYPES)
    if deep and draw(some.integers(0, 3)) == 0:
        inner = draw(some.dictionaries(NAMES, attributes(deep=False), max_size=3))
        named = {name: replace(each, name=name) for name, each in inner.items()}
        nested = Nested(named, draw(some.sampled_from(Nesting)))
        kind = collected(nested.attributes, nested.nesting)
    return Attribute(
        "",
        kind,
        nested,
        required=required,
        optional=optional,
        computed=computed,
        sensitive=draw(some.booleans()),
        write_only=draw(some.booleans()),
        description=draw(WORDS),
        deprecated=draw(WORDS),
    )


@some.composite
def blocks(draw, depth=2):
    found = draw(some.dictionaries(NAMES, attributes(), max_size=4))
    named = {name: replace(each, name=name) for name, each in found.items()}
    inner = {}
    if depth:
        for name in draw(some.lists(NAMES.map(lambda name: f"{name}s"), max_size=2, unique=True)):
            least = draw(some.sampled_from([0, 0, 1, 2]))
            most = draw(some.sampled_from([0, 0, 1, 2]))
            nesting = draw(some.sampled_from(Nesting))
            inner[name] = NestedBlock(
                name, draw(blocks(depth - 1)), nesting, least, max(least, most) if most else 0
            )
    return Block(named, {k: v for k, v in inner.items() if k not in named}, draw(WORDS), draw(WORDS))


SCHEMAS = some.builds(Schema, some.integers(0, 9), blocks())


def configurations(block):
    """Return a strategy for what might be written for a block."""
    members = {name: _attribute(each) for name, each in block.attributes.items()}
    members |= {name: _nested(each) for name, each in block.blocks.items()}
    right = some.fixed_dictionaries({}, optional=members)
    return right | some.tuples(right, some.dictionaries(NAMES, ODD, max_size=1)).map(
        lambda both: both[0] | both[1]
    )


def _attribute(attribute):
    if attribute.nested is not None:
        inner = NestedBlock("", Block(attribute.nested.attributes), attribute.nested.nesting)
        right = _nested(inner)
    else:
        right = _loosely(attribute.type)
    return right if attribute.settable else some.none() | right


def _nested(nested):
    one = configurations(nested.block)
    several = some.lists(one | one | ODD, max_size=3)
    match nested.nesting:
        case Nesting.SINGLE | Nesting.GROUP:
            right = one
        case Nesting.MAP:
            right = some.dictionaries(some.text("ab", max_size=2), one | one | ODD, max_size=2)
        case Nesting.LIST | Nesting.SET:
            right = one | several | several
    return right | right | right | ODD


def _loosely(kind):
    """Return a strategy for values of a type as people write them, and for some that are none."""
    match kind:
        case Primitive():
            right = some.sampled_from(["a", "7", "-1.5e3", "true", "0", 7, 1.5, -0.0, True, False, 10**30])
        case Collection(Kind.MAP, element):
            right = some.dictionaries(some.text("ab", max_size=2), _loosely(element), max_size=2)
        case Collection(_, element):
            right = some.lists(_loosely(element), max_size=3)
        case Structure(members):
            right = some.fixed_dictionaries(
                {}, optional={name: _loosely(each) for name, each in members.items()}
            )
        case Row(items):
            right = some.tuples(*map(_loosely, items)).map(list)
    return right | right | right | right | ODD
