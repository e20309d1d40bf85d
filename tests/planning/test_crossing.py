"""Moves to another type: which rows they are, what the plan is, and that our own types stay refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.problem import Refusal, refuse
from dirigent.model.resource import ResourceRow
from dirigent.model.run.summary import RunSummary
from dirigent.model.source import Span
from dirigent.model.stack import Errand, Module, Move, ProviderSetup
from dirigent.model.values import Unknown
from dirigent.planning.compile import compile_plan
from dirigent.planning.rows.crossing import crossings
from dirigent.ports.resources import Proposal, ProviderFailed, Reading
from dirigent.service.changes import check_fresh
from dirigent.service.plans import How, Planner
from planning.plain_language import PlainLanguage
from planning.test_modules import inside, part, using
from planning.world import World, actions, resource, stack

AT = Span("stack.yaml", 7, 3, 7, 9)


class Store:
    """A shelf with the rows of a world."""

    def __init__(self, world):
        self.world = world

    async def rows(self):
        return list(self.world.rows.values())

    async def history(self, address):
        return []

    async def run(self, run):
        raise AssertionError(RunSummary)


class Rooms:
    """A provider of halls and rooms; a hall becomes a room, and has more of what it holds."""

    def __init__(self, answer=None):
        self.answer = answer
        self.asked = []

    async def receive(self, row, type_name):
        self.asked.append(f"receive {row.address} {row.type} {type_name}")
        if isinstance(self.answer, Exception):
            raise self.answer
        seats = row.attributes["seats"]
        return Reading({"chairs": seats}, {"chairs": seats}, private={"of": type_name})

    async def read(self, row):
        self.asked.append(f"read {row.address} {row.type}")
        return Reading(row.attributes)

    async def propose(self, type_name, prior, config):
        if prior is not None:
            assert prior.type == type_name
        return Proposal({**(prior.attributes if prior else {"id": Unknown()}), **config}, decided=True)


class Plain:
    """A provider that takes nothing over."""

    async def read(self, row):
        return Reading(row.attributes)


class Clock:
    def now(self):
        return 0.0


def hall(name, address=None):
    return ResourceRow(
        *(Address(address or name), name, "old_hall", {"seats": 4}, {"seats": 4}),
        provider="old",
        private={"of": "old_hall"},
    )


def room(name, chairs=4, **more):
    return replace(resource(name, kind="new_room", chairs=chairs, **more), provider="new")


def declared(*resources, moved=(("hall", "room"),), **more):
    setups = {
        "new": ProviderSetup("new", "acme/new", "", {}),
        "old": ProviderSetup("old", "acme/old", "", {}),
    }
    moves = tuple(Move(source, to, AT) for source, to in moved)
    return replace(stack(*resources, **more), moved=moves, providers=setups)


def planned(world, wanted, provider, **how):
    planner = Planner(Store(world), {"new:": provider, "old:": Plain()}, None, Clock(), PlainLanguage())
    return asyncio.run(planner.plan(wanted, {}, How(**how)))


def refused(work, *args):
    with pytest.raises(Refusal) as caught:
        work(*args)
    return caught.value.problems


def test_what_moves_to_another_type_is_kept_read_as_that_and_then_there_is_nothing_to_do():
    world, rooms = World([hall("hall")]), Rooms()
    wanted = declared(room("room"))
    made = planned(world, wanted, rooms)
    assert actions(made) == {"room": "keep"}
    (change,) = made.pending
    assert (change.moved_from, change.moved_type, change.prior.type) == ("hall", "old_hall", "new_room")
    assert change.because == "moved from `hall`, a `old_hall`"
    assert rooms.asked == ["receive hall old_hall new_room", "read hall new_room"]
    asyncio.run(check_fresh(Store(world), made))
    world.apply(made)
    assert world.log == ["move rows"]
    assert list(world.rows) == ["room"]
    now = world.rows["room"]
    assert (now.type, now.provider, now.attributes) == ("new_room", "new", {"chairs": 4})
    rooms.asked.clear()
    assert not planned(world, wanted, rooms).pending
    assert rooms.asked == ["read room new_room"]


def test_what_differs_is_an_update_after_the_move_and_never_another_object():
    world = World([hall("hall")])
    made = planned(world, declared(room("room", chairs=5)), Rooms())
    assert actions(made) == {"room": "update"}
    assert [(each.path, each.before, each.after) for each in made.changes[0].differences] == [
        ("chairs", 4, 5)
    ]
    graph = compile_plan(made).root.node
    assert graph.needs["room"] == ("move rows",)


def test_a_plan_is_bound_to_the_row_as_it_was_before():
    world = World([hall("hall")])
    made = planned(world, declared(room("room")), Rooms())
    world.rows["hall"] = replace(world.rows["hall"], attributes={"seats": 5})
    with pytest.raises(Refusal, match="E2040"):
        asyncio.run(check_fresh(Store(world), made))


def test_without_a_look_at_the_world_it_is_moved_all_the_same():
    rooms = Rooms()
    made = planned(World([hall("hall")]), declared(room("room")), rooms, refresh=False)
    assert (actions(made), rooms.asked) == ({"room": "keep"}, ["receive hall old_hall new_room"])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refuse("E2032", "no hall with pillars"), "E2032"),
        (ProviderFailed("E3017: nothing"), "E3002"),
    ],
)
def test_who_refuses_is_shown_with_his_words_at_the_entry(answer, code):
    (problem,) = refused(planned, World([hall("hall")]), declared(room("room")), Rooms(answer))
    assert (problem.code, problem.at) == (code, AT)
    assert str(answer).split(": ")[-1] in problem.message


def test_a_provider_that_takes_nothing_over_is_refused_as_before():
    (problem,) = refused(planned, World([hall("hall")]), declared(room("room")), Planning())
    assert problem.code == "E2017"


class Planning(Plain):
    """One that plans too."""

    async def propose(self, type_name, prior, config):
        return Proposal(config, decided=True)


def test_in_modules_the_addresses_are_followed_to_the_declaration():
    module = Module(replace(inside(room("room")), moved=(Move("hall", "room", AT),)))
    wanted = using(part("net", each=["eu", "us"]), net=module)
    rows = [hall(f'net["{key}"]/hall') for key in ("eu", "us")]
    found = crossings(wanted, rows, PlainLanguage())
    assert [(each.row.address, each.to, each.type) for each in found] == [
        ('net["eu"]/hall', 'net["eu"]/room', "new_room"),
        ('net["us"]/hall', 'net["us"]/room', "new_room"),
    ]
    assert found[0].span == AT


def test_instances_cross_each_by_itself_and_what_is_no_object_of_a_provider_does_not():
    language = PlainLanguage()
    wanted = declared(room("room", count=2))
    rows = [replace(hall("hall", f"hall[{index}]"), key=index) for index in range(2)]
    assert [each.to for each in crossings(wanted, rows, language)] == ["room[0]", "room[1]"]
    for row in (
        replace(hall("hall"), provider=""),
        replace(hall("hall"), reads=True),
        replace(hall("hall"), type="new_room"),
        hall("hall", "hall#deposed"),
        hall("other"),
    ):
        assert crossings(wanted, [row], language) == ()
    ours = replace(room("room"), provider="")
    assert crossings(declared(ours), [hall("hall")], language) == ()


def test_for_one_time_the_same_by_an_errand():
    world, rooms = World([hall("hall")]), Rooms()
    planner = Planner(Store(world), {"new:": rooms}, None, Clock(), PlainLanguage())
    errand = Errand(moves=(Move("hall", "room"),))
    made = asyncio.run(planner.plan_errand("shop", declared(room("room"), moved=()), {}, errand))
    assert [(change.type, change.moved_type) for change in made.pending] == [("new_room", "old_hall")]
    asyncio.run(check_fresh(Store(world), made))
    world.apply(made)
    assert world.rows["room"].attributes == {"chairs": 4}
