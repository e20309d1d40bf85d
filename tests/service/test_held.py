"""What a person may answer where something is held: whose creation is named, and what nobody may say."""

from __future__ import annotations

import asyncio

import pytest

from dirigent.model.ids import Position, RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Held, Intended, Repeated
from dirigent.service.steering.held import held_of, named, refuse_unknown

RUN = RunId("up-1")


class Facts:
    def __init__(self, *facts):
        self.facts = list(facts)

    async def read(self, _run, since=0):
        return self.facts[since:]


def place(name):
    return Position(f"/changes/{name}")


def step(name, action="create"):
    return Intended(1.0, place(name), 1, {"action": action, "address": name, "type": "box", "needs": []})


def held(*facts):
    return asyncio.run(held_of(Facts(*facts), RUN))


def stuck(name):
    return Held(2.0, place(name), 1, "nobody knows")


def test_what_is_held_is_told_with_what_it_was_to_make():
    post = Intended(1.0, place("post"), 1, {"action": "create", "address": 7})
    found = held(*map(step, "ab"), step("c", "update"), post, *map(stuck, ["a", "b", "c", "post"]))
    assert [each.address for each in found] == ["a", "b", "", ""]
    again = held(step("a"), stuck("a"), step("b"), stuck("b"), Repeated(3.0, place("a"), 1))
    assert [each.address for each in again] == ["b"]
    with pytest.raises(Refusal, match="E4012"):
        held(step("a"), stuck("a"), Repeated(3.0, place("a"), 1))


def test_one_creation_is_named_by_an_id_and_several_by_their_addresses():
    one = held(step("a"), stuck("a"), step("c", "update"), stuck("c"))
    assert named(one, RUN, ["x=1"], 5.0) == [Repeated(5.0, place("a"), 1, "x=1")]
    assert named(one, RUN, ["a=x=1"], 5.0) == [Repeated(5.0, place("a"), 1, "x=1")]
    two = held(*map(step, ["a", "b[0]"]), *map(stuck, ["a", "b[0]"]))
    words = named(two, RUN, ["b[0]=2", "a=1"], 5.0)
    assert [(each.position, each.known) for each in words] == [(place("b[0]"), "2"), (place("a"), "1")]
    for wrong in (["1"], ["c=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(Refusal, match="E2036"):
            named(two, RUN, wrong, 5.0)
    with pytest.raises(Refusal, match="E2036"):
        named(held(step("c", "update"), stuck("c")), RUN, ["1"], 5.0)


def test_nobody_may_say_that_something_was_made_without_saying_what():
    with pytest.raises(Refusal, match="E2037"):
        refuse_unknown(held(step("a"), stuck("a")), RUN)
    refuse_unknown(held(step("c", "delete"), stuck("c")), RUN)
