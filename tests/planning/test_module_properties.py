"""A stack with modules plans to the same changes as the stack that somebody has flattened by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.plan import Action
from dirigent.model.problem import Refusal
from dirigent.model.resource import Lifecycle
from dirigent.model.stack import Input, Module, Stack
from dirigent.model.values import Unknown
from planning.world import CREATE_FIRST, World, refer, resource, stack

CALM = settings(derandomize=True, deadline=None, max_examples=200)


@dataclass
class Box:
    """A resource of a tree; `sees` are sources of values: `("lit", 3)`, `("box", NAME)`, and so on."""

    name: str
    sees: dict = field(default_factory=dict)
    needs: list = field(default_factory=list)
    count: int | None = None
    create_first: bool = False
    force: int = 0


@dataclass
class Part:
    """A module of a tree: what is in it, and what it is given. `each` is None for a single one."""

    name: str
    inside: Tree
    given: dict
    each: list | None = None
    needs: list = field(default_factory=list)
    protect: bool = False


@dataclass
class Tree:
    """A stack or a module: boxes and parts in an order in which each sees only those before it."""

    things: list = field(default_factory=list)
    inputs: list = field(default_factory=list)
    outputs: dict = field(default_factory=dict)


# -- trees, drawn ---------------------------------------------------------------------------------


@st.composite
def trees(draw, depth=0, inputs=()):
    tree = Tree(inputs=list(inputs))
    for number in range(draw(st.integers(1, 4))):
        sources = available(tree)
        pick = st.sampled_from(sources)
        before = [thing.name for thing in tree.things]
        needs = draw(st.lists(st.sampled_from(before), max_size=1)) if before else []
        if depth < 3 and draw(st.integers(0, 2)) == 0:
            names = [f"in{index}" for index in range(draw(st.integers(0, 2)))]
            each = draw(st.sampled_from([None, None, [], ["eu"], ["eu", "a/b"]]))
            more = [("key",)] if each is not None else []
            given_to = {name: draw(st.sampled_from([*sources, *more])) for name in names}
            inside = draw(trees(depth + 1, names))
            protect = draw(st.integers(0, 9)) == 0
            tree.things.append(Part(f"m{number}", inside, given_to, each, needs, protect))
        else:
            sees = {f"s{index}": draw(pick) for index in range(draw(st.integers(0, 2)))}
            count = draw(st.sampled_from([None, None, 0, 2]))
            first = draw(st.booleans())
            tree.things.append(Box(f"b{number}", sees, needs, count, first, draw(st.integers(0, 1))))
    sources = available(tree)
    tree.outputs = {f"out{index}": draw(st.sampled_from(sources)) for index in range(draw(st.integers(0, 3)))}
    return tree


def available(tree):
    """The sources of values that something at the end of a tree may use."""
    found = [("lit", 1), *(("in", name) for name in tree.inputs for _ in range(2))]
    for thing in tree.things:
        if isinstance(thing, Box) and thing.count is None:
            found += [("box", thing.name)] * 2
        elif isinstance(thing, Part):
            for name in thing.inside.outputs:
                if thing.each is None:
                    found.append(("out", thing.name, None, name))
                found += [("out", thing.name, key, name) for key in thing.each or ()]
    return found


# -- with modules ---------------------------------------------------------------------------------


def text_of(source):
    match source:
        case ("lit", value):
            return value
        case ("in", name):
            return refer(f"$inputs.{name}")
        case ("box", name):
            return refer(f"$resources.{name}.id")
        case ("out", name, None, output):
            return refer(f"$resources.{name}.{output}")
        case ("out", name, key, output):
            return refer(f'$resources.{name}["{key}"].{output}')
        case ("key",):
            return refer("$each.key")


def lifecycle_of(box, protect=False):
    return replace(CREATE_FIRST if box.create_first else Lifecycle(), protect=protect)


def with_modules(tree, name="shop"):
    resources, modules = {}, {}
    for thing in tree.things:
        if isinstance(thing, Box):
            config = {key: text_of(source) for key, source in thing.sees.items()}
            life = lifecycle_of(thing)
            made = resource(
                thing.name, needs=thing.needs, count=thing.count, lifecycle=life, force=thing.force, **config
            )
        else:
            life = Lifecycle(protect=thing.protect)
            made = resource(thing.name, kind="stack", needs=thing.needs, each=thing.each, lifecycle=life)
            given_to = {key: text_of(source) for key, source in thing.given.items()}
            modules[thing.name] = Module(with_modules(thing.inside, thing.name), given_to)
        resources[thing.name] = made
    return Stack(
        name,
        "/srv",
        inputs={each: Input(each, {}) for each in tree.inputs},
        resources=resources,
        outputs={key: text_of(source) for key, source in tree.outputs.items()},
        modules=modules,
    )


# -- flattened by hand ----------------------------------------------------------------------------


def flat_name(path):
    return re.sub(r"[^A-Za-z0-9]", lambda found: f"_{ord(found[0])}_", path)


@dataclass
class Instance:
    """One instance of a tree in the flat stack; `needs` are those of the modules around it."""

    tree: Tree
    path: str = ""
    given: dict = field(default_factory=dict)
    key: str | None = None
    parent: Instance | None = None
    needs: list = field(default_factory=list)
    protect: bool = False
    children: dict = field(default_factory=dict)

    def at(self, name):
        return f"{self.path}/{name}" if self.path else name

    def value(self, source):
        """Follow a source to a literal or to a resource of the flat stack."""
        match source:
            case ("lit", value):
                return value
            case ("key",):
                raise AssertionError("only what is given has a key")
            case ("in", name):
                source = self.given[name]
                return self.key if source == ("key",) else self.parent.value(source)
            case ("box", name):
                return refer(f"$resources.{flat_name(self.at(name))}.id")
            case ("out", name, key, output):
                child = self.children[name][key]
                return child.value(child.tree.outputs[output])

    def behind(self, source):
        """The flat resources behind a source; who sees an output of one instance hangs on all of them."""
        match source:
            case ("in", name):
                return self.parent.behind(self.given[name])
            case ("box", name):
                return [flat_name(self.at(name))]
            case ("out", name, _, output):
                children = self.children[name].values()
                return [each for child in children for each in child.behind(child.tree.outputs[output])]
        return []

    def all_needs(self, names):
        """The flat resources that needs on boxes and modules are."""
        found = []
        for name in names:
            for child in self.children.get(name, {}).values():
                found += [*child.needs, *child.all_needs([thing.name for thing in child.tree.things])]
            if name not in self.children:
                found.append(flat_name(self.at(name)))
        return found


def flattened(tree):
    """The flat stack, and the address in the stack with modules of each of its names."""
    root = Instance(tree)
    open_all(root)
    found, names, pending = [], {}, [root]
    while pending:
        here = pending.pop(0)
        for thing in here.tree.things:
            if isinstance(thing, Part):
                pending += here.children[thing.name].values()
                continue
            name = flat_name(here.at(thing.name))
            names[name] = here.at(thing.name)
            config = {key: here.value(source) for key, source in thing.sees.items()}
            needs = [*here.needs, *here.all_needs(thing.needs)]
            needs += [need for source in thing.sees.values() for need in here.behind(source)]
            life = lifecycle_of(thing, here.protect)
            made = resource(name, needs=needs, count=thing.count, lifecycle=life, force=thing.force, **config)
            found.append(made)
    return stack(*found), names


def open_all(root):
    """Make the instances below one, in the order of what is declared: needs look at those before."""
    for thing in root.tree.things:
        if isinstance(thing, Part):
            needs = [*root.needs, *root.all_needs(thing.needs)]
            keys = [None] if thing.each is None else thing.each
            protect = root.protect or thing.protect
            root.children[thing.name] = {
                key: Instance(
                    thing.inside,
                    root.at(thing.name if key is None else f'{thing.name}["{key}"]'),
                    *(thing.given, key, root, needs, protect),
                )
                for key in keys
            }
            for child in root.children[thing.name].values():
                open_all(child)


# -- the same, twice ------------------------------------------------------------------------------


class Twin(World):
    """A world in which what an instance gets hangs on its address, under whichever name it is known."""

    def __init__(self):
        super().__init__()
        self.names = {}

    def identity(self, address):
        return f"id of {self.shown(address)} {self.made_of(address)}"

    def made_of(self, address):
        return sum(1 for name in self.log if name == address)

    def shown(self, address):
        bare, mark, deposed = address.partition("#")
        name, bracket, index = bare.partition("[")
        return self.names.get(name, name) + bracket + index + mark + deposed


def told(made, world):
    """What a plan says of each instance, with the addresses of the stack with modules."""
    return {
        world.shown(str(change.address)): (
            action_of(change),
            change.create_first,
            change.protect,
            sorted(world.shown(need) for need in change.needs),
            {item.path: plain(item) for item in change.differences if item.path != "needs"},
        )
        for change in made.changes
    }


def action_of(change):
    """The action; needs in another order are none: they come in the order of mention."""
    only = [item for item in change.differences if item.path == "needs"]
    if len(only) == len(change.differences) == 1 and sorted(only[0].before) == sorted(only[0].after):
        return Action.KEEP
    return change.action


def plain(item):
    return [Unknown() if isinstance(value, Unknown) else value for value in (item.before, item.after)]


def rows_of(world):
    return {
        world.shown(address): (row.config, row.attributes, sorted(map(world.shown, row.needs)), row.protect)
        for address, row in world.rows.items()
    }


def planned(world, declared):
    try:
        return world.plan(declared)
    except Refusal as refusal:
        return [problem.code for problem in refusal.problems]


@pytest.mark.slow
@CALM
@given(trees(), trees(), st.randoms(use_true_random=False))
def test_a_stack_with_modules_plans_as_the_flattened_one(first, second, chance):
    one, other = Twin(), Twin()
    for tree in (first, second, first):
        flat, names = flattened(tree)
        other.names |= names
        made, same = planned(one, with_modules(tree)), planned(other, flat)
        if isinstance(made, list):
            assert made == same
            return
        assert told(made, one) == told(same, other)
        one.apply(made, chance.choice)
        other.apply(same, chance.choice)
        assert rows_of(one) == rows_of(other)
        assert one.plan(with_modules(tree)).pending == ()
    rows = [replace(row, protect=False) for row in one.rows.values()]
    last = World(rows)
    last.down(chance.choice)
    assert last.rows == {}


@pytest.mark.slow
def test_the_trees_have_what_they_are_to_show():
    """A control: modules within modules, bridges, and instances that see each other do come up."""
    found = {"bridges": 0, "deep": 0, "keyed": 0, "handed on": 0}

    @settings(derandomize=True, deadline=None, max_examples=60, database=None)
    @given(trees())
    def look(tree):
        made = Twin().plan(with_modules(tree))
        found["bridges"] += bool(made.bridges)
        found["handed on"] += any(bridge.waits for bridge in made.bridges)
        found["deep"] += any(
            str(change.address).count("/b") and "/m" in change.address for change in made.changes
        )
        found["keyed"] += any("]/" in change.address for change in made.changes)

    look()
    assert all(found.values()), found
