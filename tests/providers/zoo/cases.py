"""Cases for the zoo: what stood, what has changed outside, and what shall be. By number, always the same.

A case is two declarations of a few resources, before and after. `Ref` and `KEY` stand for expressions,
which each tool writes in its own way.
"""

from dataclasses import dataclass, field, replace

from dirigent.providers.tofu.schema.shape import Block, Nesting
from dirigent.providers.tofu.values.types import BOOL, NUMBER, STRING, Collection, Kind, Structure
from providers.zoo.chance import Chance
from providers.zoo.kinds import SPECIES

TEXTS = ["", "a", "B c", "höhle", "7", "true", "x\ny", '"q"', "/ä/…"]
NUMBERS = [0, 1, -3, 2.5, 10**20, "12", 0.1]


@dataclass(frozen=True)
class Ref:
    """An attribute of another resource of the case; a `key` tells its instance."""

    resource: str
    attribute: str
    key: int | str | None = None


@dataclass(frozen=True)
class Keyed:
    """A text that ends in the key of the instance."""

    text: str


@dataclass(frozen=True)
class Declared:
    """One resource. `many` is its number, its keys, or None."""

    type: str
    config: dict[str, object]
    many: int | tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    first: bool = False


@dataclass(frozen=True)
class Case:
    """What is compared: `drift` is by the id of an object."""

    name: str
    what: str
    before: dict[str, Declared]
    after: dict[str, Declared]
    drift: dict[str, object] = field(default_factory=dict)


def cases(count):
    return [case(number) for number in range(count)]


def case(number):
    chance = Chance(f"zoo {number}")
    name = f"c{number:03}"
    what = sorted(WAYS)[number % len(WAYS)]
    return replace(WAYS[what](chance, name), name=name, what=what)


def settings(chance, kind, name):
    """Return a configuration of a type, with about half of what may be set."""
    found = of_block(chance, SPECIES[kind].block)
    return {**found, "name": name}


def of_block(chance, block):
    found = {}
    for name, each in block.attributes.items():
        if each.settable and (each.required or chance.random() < 0.5):
            inner = each.nested and Block(each.nested.attributes)
            found[name] = blocks(chance, each.nested.nesting, inner, 1) if inner else value(chance, each.type)
    for name, each in block.blocks.items():
        if chance.random() < 0.6:
            found[name] = blocks(chance, each.nesting, each.block)
    return found


def blocks(chance, nesting, block, least=0):
    match nesting:
        case Nesting.LIST:
            return [of_block(chance, block) for _ in range(chance.randint(least, 3))]
        case Nesting.SET:
            some = {chance.choice(TEXTS): of_block(chance, block) for _ in range(chance.randint(0, 3))}
            return [{**each, next(iter(block.attributes)): key} for key, each in some.items()]
        case Nesting.MAP:
            return {
                key: of_block(chance, block) for key in chance.sample(["a", "b", "c"], chance.randint(1, 3))
            }
        case _:
            return of_block(chance, block)


PLAIN = {STRING: TEXTS, NUMBER: NUMBERS, BOOL: [True, False, "true"]}
ANY = ["x", 3, [1, "a", None], {"a": {"b": [True]}}, None]


def value(chance, kind):
    match kind:
        case Structure(members):
            return {name: value(chance, each) for name, each in members.items()}
        case Collection(Kind.MAP, element):
            keys = chance.sample(["breed", "x", "y.z"], chance.randint(0, 3))
            return {key: value(chance, element) for key in keys}
        case Collection(_, element):
            return [value(chance, element) for _ in range(chance.randint(0, 3))]
        case _:
            odd = kind is STRING and chance.random() < 0.1
            return chance.choice([5, True] if odd else PLAIN.get(kind, ANY))


def changed(chance, kind, config):
    """Return a configuration with a few of its members drawn anew, or left out."""
    block = SPECIES[kind].block
    fresh = settings(chance, kind, config["name"])
    names = [
        name for name in (*block.attributes, *block.blocks) if name in {**config, **fresh} and name != "name"
    ]
    found = dict(config)
    for name in chance.sample(names, min(len(names), chance.randint(1, 3))):
        found.pop(name, None)
        if name in fresh:
            found[name] = fresh[name]
    return found


def any_kind(chance):
    return chance.choice(sorted(SPECIES))


def one(chance, name, **more):
    kind = any_kind(chance)
    return Declared(kind, settings(chance, kind, name), **more)


def same(chance, name):
    stands = one(chance, name)
    return Case(name, "", {name: stands}, {name: stands})


def other(chance, name):
    stands = one(chance, name)
    return Case(name, "", {name: stands}, {name: remade(chance, stands)})


def remade(chance, stands):
    return replace(stands, config=changed(chance, stands.type, stands.config))


def fresh(chance, name):
    return Case(name, "", {}, {name: one(chance, name)})


def removed(chance, name):
    return Case(name, "", {name: one(chance, name)}, {})


def renamed(chance, name):
    stands = one(chance, name, first=chance.random() < 0.5)
    return Case(
        name, "", {name: stands}, {name: replace(stands, config={**stands.config, "name": f"{name}-other"})}
    )


def gone(chance, name):
    stands = one(chance, name)
    return Case(name, "", {name: stands}, {name: remade(chance, stands)}, {f"id-{name}": None})


def drifted(chance, name):
    stands = one(chance, name)
    after = remade(chance, stands) if chance.random() < 0.3 else stands
    return Case(name, "", {name: stands}, {name: after}, {f"id-{name}": drift_of(chance, stands.type)})


def drift_of(chance, kind):
    mine = {"zoo_cat": {"mood": "wild", "size": 77, "tags": {"breed": "x"}, "toys": ["a"]}}
    mine |= {"zoo_house": {"floors": 9, "guest": [{"who": "ghost", "pin": None, "badge": "b"}]}}
    mine |= {"zoo_nest": {"one": {"a": "drift", "b": "drift", "c": "drift"}}}
    all_of = mine.get(kind, {"size": 5, "mood": "wild", "note": "scribble"})
    return {name: all_of[name] for name in chance.sample(sorted(all_of), chance.randint(1, len(all_of)))}


def ignoring(chance, name):
    stands = one(chance, name)
    after = remade(chance, stands)
    # Terraform 1.0.3 finds no element of a set of blocks again when the set is to be ignored.
    names = [each for each in {**stands.config, **after.config} if each not in {"name", "guest"}] or [
        "revision"
    ]
    ignore = tuple(chance.sample(names, min(len(names), chance.randint(1, 2))))
    drift = {f"id-{name}": drift_of(chance, stands.type)} if chance.random() < 0.5 else {}
    return Case(name, "", {name: stands}, {name: replace(after, ignore=ignore)}, drift)


def counted(chance, name):
    kind = any_kind(chance)
    config = settings(chance, kind, name) | {"name": Keyed(f"{name}-")}
    before, after = chance.sample([0, 1, 2, 3], 2)
    return Case(
        name,
        "",
        {name: Declared(kind, config, before)},
        {name: Declared(kind, changed(chance, kind, config), after)},
    )


def each_of(chance, name):
    kind = any_kind(chance)
    config = settings(chance, kind, name) | {"name": Keyed(f"{name}-")}
    before, after = (tuple(chance.sample(["a", "b", "c c", "d"], chance.randint(1, 3))) for _ in range(2))
    return Case(name, "", {name: Declared(kind, config, before)}, {name: Declared(kind, config, after)})


def leaning(chance, name):
    """One resource leans on an attribute of another, which changes, is made anew, or is new."""
    base = Declared("zoo_cat", settings(chance, "zoo_cat", f"{name}-base"))
    leans = Declared(*leant(chance, name))
    after = chance.choice(
        [base, remade(chance, base), replace(base, config=base.config | {"name": f"{name}-n"})]
    )
    before = chance.choice([{}, {f"{name}_base": base, name: leans}])
    return Case(name, "", before, {f"{name}_base": after, name: leans})


def leant(chance, name):
    attribute = chance.choice(["id", "revision", "note", "mood"])
    ref = Ref(f"{name}_base", attribute)
    ways = [
        ("zoo_cat", {"chip": ref}),
        ("zoo_cat", {"toys": ["a", ref]}),
        ("zoo_cat", {"tags": {"breed": ref, "x": "y"}}),
        ("zoo_cat", {"marks": [ref, "x"]}),
        ("zoo_cat", {"note": ref}),
        ("zoo_house", {"guest": [{"who": ref}, {"who": "x"}]}),
        ("zoo_house", {"door": [{"number": 1, "colour": ref}]}),
        ("zoo_house", {"floors": Ref(f"{name}_base", "revision")}),
        ("zoo_nest", {"one": {"a": ref}, "row": [{"a": ref}, {"a": "x"}]}),
        ("old_cat", {"note": ref}),
    ]
    kind, config = chance.choice(ways)
    return kind, {"name": name, **config}


def half(chance, name):
    stands = one(chance, f"half-{name}")
    return Case(name, "", {name: stands}, {name: chance.choice([stands, remade(chance, stands)])})


def nulls(chance, name):
    stands = one(chance, name)
    after = {
        key: None if key != "name" and not isinstance(each, list | dict) else each
        for key, each in stands.config.items()
    }
    return Case(name, "", {name: stands}, {name: replace(stands, config=after)})


WAYS = {
    "same": same,
    "other": other,
    "fresh": fresh,
    "removed": removed,
    "renamed": renamed,
    "gone": gone,
    "drifted": drifted,
    "ignoring": ignoring,
    "counted": counted,
    "each": each_of,
    "leaning": leaning,
    "half": half,
    "nulls": nulls,
}
