"""Files of large values go when nothing names them any more, and never before."""

import asyncio
import os
import time
from dataclasses import replace

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run import payload
from dirigent.model.run.journal import Created, Ended, Succeeded
from dirigent.model.run.retention import Retention
from dirigent.stores.folder.payloads import Payloads
from dirigent.stores.folder.sweeping import sweep
from dirigent.stores.retention import SWEEP_SECONDS, kept, prune
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import MemoryStore, VirtualClock
from stores.samples import AT, PAY, PROGRAM, in_loop

DAY = 86_400.0


@pytest.fixture
def payloads(tmp_path):
    return Payloads(str(tmp_path / "payloads"))


def aged(payloads, content):
    """Put content, as if a day ago."""
    digest = payloads.put(content)
    past = time.time() - DAY
    os.utime(payloads.path(digest), (past, past))
    return digest


def named_by(digest):
    return {"deep": [{"inside": payload.reference(digest, 5, payload.TEXT)}]}


async def run_of(store, name, output, *, given=None):
    definition = await store.keep(PROGRAM)
    facts = [Created(AT, definition, given), Succeeded(AT, PAY, 1, output), Ended(AT, "completed")]
    await store.append(name, 0, facts)


@in_loop
async def test_what_a_run_names_stays_and_goes_with_the_run(tmp_path, payloads):
    store = SqliteStore.open_for_writing(str(tmp_path / "store.db"))
    first, second, third = (aged(payloads, text) for text in (b"first", b"second", b"nobody's"))
    large = [*named_by(second)["deep"], "x" * 100_000]  # It lies in a row of its own.
    await run_of(store, "a", named_by(first))
    await run_of(store, "b", large, given={"also": payload.reference(second, 6, payload.TEXT)})
    assert await sweep(payloads, store) == len(b"nobody's")
    assert (payloads.get(first), payloads.get(second)) == (b"first", b"second")
    with pytest.raises(Refusal, match="E5070"):
        payloads.get(third)
    await prune(store, Retention(runs=0), AT)
    assert await sweep(payloads, store) == len(b"firstsecond")
    assert not payloads.lasting()
    await store.close()


@in_loop
async def test_what_is_young_stays_although_nothing_names_it_yet(tmp_path, payloads):
    store = SqliteStore.open_for_writing(str(tmp_path / "store.db"))
    digest = payloads.put(b"about to be named")
    aged(payloads, b"old")
    assert await sweep(payloads, store) == len(b"old")
    assert payloads.get(digest) == b"about to be named"
    await store.close()


class PutsMeanwhile:
    """A store of which somebody is about to name an old value again, while it is looked through."""

    def __init__(self, payloads, content):
        self.payloads, self.content = payloads, content

    async def named(self):
        await asyncio.to_thread(self.payloads.put, self.content)
        return frozenset()


def test_an_old_value_that_is_put_again_stays(payloads):
    digest = aged(payloads, b"again")
    assert asyncio.run(sweep(payloads, PutsMeanwhile(payloads, b"again"))) == 0
    assert payloads.get(digest) == b"again"


class Forgetful(Payloads):
    """Puts as a store would that does not say that a file is wanted anew: the planted fault."""

    def put(self, content):
        found = [path for path in self.stored() if path.read_bytes() == content]
        return found[0].name if found else super().put(content)


def test_a_put_that_leaves_the_file_old_would_lose_it(tmp_path):
    payloads = Forgetful(str(tmp_path))
    digest = aged(payloads, b"again")
    assert asyncio.run(sweep(payloads, PutsMeanwhile(payloads, b"again"))) == len(b"again")
    with pytest.raises(Refusal, match="E5070"):
        payloads.get(digest)


def test_parts_that_a_crash_left_go_when_they_are_old(payloads):
    digest = payloads.put(b"whole")
    part = payloads.path(digest).with_name(f"{digest}-0000.part")
    part.write_bytes(b"who")
    assert payloads.sweep({digest}) == 0
    past = time.time() - DAY
    os.utime(part, (past, past))
    assert payloads.sweep({digest}) == 3
    assert payloads.get(digest) == b"whole"


class Unasked:
    async def named(self):
        raise AssertionError("every fact was read although no file is old")


def test_where_nothing_is_old_nobody_is_asked(tmp_path, payloads):
    assert asyncio.run(sweep(Payloads(str(tmp_path / "nowhere")), Unasked())) == 0
    payloads.put(b"young")
    assert asyncio.run(sweep(payloads, Unasked())) == 0


@in_loop
async def test_an_engine_with_a_policy_sweeps_every_hour():
    store, clock, swept = MemoryStore(), VirtualClock(AT), []

    async def note():
        swept.append(clock.now())

    async with kept(store, Retention(runs=10), clock, note):
        await clock.sleep_until(AT + 2.5 * SWEEP_SECONDS)
    assert len(swept) == 2


@in_loop
async def test_definitions_that_no_run_names_go(tmp_path):
    store = SqliteStore.open_for_writing(str(tmp_path / "store.db"))
    other = await store.keep(replace(PROGRAM, name="other"))
    await run_of(store, "a", None)
    await store.drop_unused()
    await store.close()
    again = SqliteStore.open_for_reading(str(tmp_path / "store.db"))
    facts = await again.read("a")
    assert await again.definition(facts[0].definition) == PROGRAM
    with pytest.raises(Refusal, match="E5004"):
        await again.definition(other)
    await again.close()


@in_loop
async def test_an_open_run_names_what_it_was_given(tmp_path, payloads):
    store = SqliteStore.open_for_writing(str(tmp_path / "store.db"))
    digest = aged(payloads, b"input")
    definition = await store.keep(PROGRAM)
    await store.append("a", 0, [Created(AT, definition, named_by(digest))])
    assert await sweep(payloads, store) == 0
    await store.close()
