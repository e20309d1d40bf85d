"""Programs at hand: each object is encoded and stored once, however many want it."""

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.problem import Refusal, refuse
from dirigent.stores import codec, programs
from dirigent.stores.programs import Programs
from dirigent.stores.sqlite import SqliteStore
from stores.samples import PROGRAM, in_loop


class Desk:
    """Stores programs under numbers when it is told to go on, and counts what it stored."""

    def __init__(self):
        self.stored = []
        self.going = asyncio.Event()
        self.refusing = 0

    async def store(self, program):
        await self.going.wait()
        if self.refusing:
            self.refusing -= 1
            raise refuse("E5011", "the disk is full")
        self.stored.append(program)
        return f"digest-{len(self.stored)}"


@in_loop
async def test_many_who_bring_one_program_at_once_have_it_stored_once():
    desk, known = Desk(), Programs()
    asked = [asyncio.ensure_future(known.kept(PROGRAM, desk.store)) for _ in range(20)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in asked), "nobody is told before it is stored"
    desk.going.set()
    assert set(await asyncio.gather(*asked)) == {"digest-1"}
    assert desk.stored == [PROGRAM]


@in_loop
async def test_where_it_is_refused_to_one_the_next_tries_again():
    desk, known = Desk(), Programs()
    desk.refusing = 1
    desk.going.set()
    asked = [known.kept(PROGRAM, desk.store) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Refusal, str, str]


@in_loop
async def test_who_goes_away_while_it_is_stored_takes_nobody_along():
    desk, known = Desk(), Programs()
    first, second = (asyncio.ensure_future(known.kept(PROGRAM, desk.store)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    desk.going.set()
    assert await second == "digest-1"
    assert first.cancelled()


def test_two_objects_of_one_digest_are_both_known():
    known, again = Programs(), replace(PROGRAM)
    known.remember("digest", PROGRAM)
    assert known.digest_of(again) is None
    known.remember("digest", again)
    assert [known.digest_of(PROGRAM), known.digest_of(again)] == ["digest"] * 2
    assert known.get("digest") is PROGRAM


def test_only_so_many_are_held_and_none_is_taken_for_another(monkeypatch):
    monkeypatch.setattr(programs, "KEPT", 3)
    known = Programs()
    made = [replace(PROGRAM) for _ in range(5)]
    for number, program in enumerate(made):
        known.remember(f"digest-{number}", program)
    assert [known.digest_of(program) for program in made] == [None, None, "digest-2", "digest-3", "digest-4"]
    assert [known.get(f"digest-{number}") is made[number] for number in range(5)] == [False] * 2 + [True] * 3


@pytest.mark.parametrize("read_first", [False, True])
@in_loop
async def test_a_store_encodes_a_program_once_though_it_read_another_object_of_it(
    read_first, tmp_path, monkeypatch
):
    path = str(tmp_path / "dirigent.db")
    store = SqliteStore.open_for_writing(path)
    digest = await store.keep(PROGRAM)
    await store.close()
    store = SqliteStore.open_for_writing(path)
    if read_first:
        await store.definition(digest)
    encoded = []
    encode = codec.encode
    monkeypatch.setattr(codec, "encode", lambda document: encoded.append(document) or encode(document))
    mine = replace(PROGRAM)
    assert set(await asyncio.gather(*(store.keep(mine) for _ in range(10)))) == {digest}
    assert await store.keep(mine) == digest
    assert encoded == [mine]
    await store.close()
