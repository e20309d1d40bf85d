"""Types of providers, and values of them, for properties."""

from hypothesis import strategies as some

from dirigent.model.values import Unknown
from dirigent.providers.tofu.values.coding import canonical
from dirigent.providers.tofu.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    Collection,
    Kind,
    Primitive,
    Row,
    Structure,
)

NAMES = some.text("abcxyz_", min_size=1, max_size=4)
TYPES = some.recursive(
    some.sampled_from([STRING, NUMBER, BOOL, DYNAMIC]),
    lambda inner: some.one_of(
        some.builds(Collection, some.sampled_from(Kind), inner),
        some.builds(Structure, some.dictionaries(NAMES, inner, max_size=3)),
        some.builds(Row, some.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
FLOATS = some.floats(allow_nan=False, allow_infinity=False).map(lambda x: int(x) if x.is_integer() else x)
LEAVES = {
    STRING: some.text(max_size=5),
    NUMBER: some.integers() | FLOATS,
    BOOL: some.booleans(),
}


def values(kind):
    """Return a strategy for values of a type."""
    match kind:
        case Primitive():
            leaf = LEAVES.get(kind, some.one_of(*LEAVES.values()))
        case Collection(Kind.MAP, element):
            leaf = some.dictionaries(some.text(max_size=3), values(element), max_size=3)
        case Collection(Kind.SET, element):
            leaf = some.lists(values(element), max_size=3).map(canonical)
        case Collection(_, element):
            leaf = some.lists(values(element), max_size=3)
        case Structure(members):
            leaf = some.fixed_dictionaries({name: values(each) for name, each in members.items()})
        case Row(items):
            leaf = some.tuples(*map(values, items)).map(list)
    return leaf | some.none() | some.just(Unknown())
