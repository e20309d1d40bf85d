"""Changes beside each other: what meets is refused, what does not goes on, and the store decides a race."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Ended
from dirigent.model.run.start import first_of
from dirigent.ports.applies import AFTER
from dirigent.service import changes
from dirigent.service.safety import leases
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import MemoryDisk, MemoryStore
from planning.world import World, resource, stack

A, B = resource("a", size=1), resource("b", size=1)


class Clock:
    def now(self):
        return 1_800_000_000.0


@dataclass
class Conductor:
    """Begins runs as an engine does, when as many are about to begin as `together` says."""

    store: MemoryStore
    together: int = 1
    guarded: bool = True
    waiting: list = field(default_factory=list)

    async def start(self, start):
        if not self.guarded:
            metadata = {name: each for name, each in start.metadata.items() if name != AFTER}
            start = replace(start, metadata=metadata)
        if self.together > 1:
            mine = asyncio.get_running_loop().create_future()
            self.waiting.append(mine)
            if len(self.waiting) == self.together:
                self.together = 1
                for each in self.waiting:
                    each.set_result(None)
            await mine
        digest = await self.store.keep(start.program)
        await self.store.append(start.id, 0, [first_of(start, digest, Clock().now())])
        return start.id

    async def keep_plan(self, plan):
        await self.store.keep_plan(plan)


@dataclass
class Desk:
    """What a process has that changes a stack."""

    journal: MemoryStore
    conductor: Conductor
    clock: Clock = field(default_factory=Clock)

    @property
    def shelf(self):
        return self.journal


@pytest.fixture
def desk():
    store = MemoryStore(MemoryDisk())
    return Desk(store, Conductor(store))


def plan_of(*resources):
    return World().plan(stack(*resources))


def code_of(answer):
    return answer.problems[0].code if isinstance(answer, Refusal) else ""


def test_what_meets_an_apply_under_way_is_refused_and_says_who_holds_what_since_when(desk):
    async def scene():
        run = await changes.apply(desk, plan_of(A), "ada@north")
        with pytest.raises(Refusal) as caught:
            await changes.apply(desk, plan_of(A, B))
        return run, caught.value.problems[0]

    run, problem = asyncio.run(scene())
    assert problem.code == "E2042"
    assert f"`a` is held by run `{run}`, begun by ada@north, since 2027-01-15 08:00:00 UTC" in problem.message
    assert any("--wait" in line for line in problem.help)


def test_what_does_not_meet_it_goes_on_beside_it(desk):
    async def scene():
        await changes.apply(desk, plan_of(A))
        await changes.apply(desk, plan_of(B))
        return await desk.shelf.applies.open_applies()

    assert len(asyncio.run(scene())) == 2


def test_a_claim_ends_with_its_run_and_leaves_nothing_behind(desk):
    async def scene():
        run = await changes.apply(desk, plan_of(A))
        await desk.journal.append(run, 1, [Ended(0.0, "cancelled")])
        return await changes.apply(desk, plan_of(A))

    assert asyncio.run(scene()).startswith("up-")


def test_of_two_that_meet_and_begin_at_the_same_instant_one_begins(desk):
    desk.conductor.together = 2

    async def scene():
        both = (changes.apply(desk, plan_of(A)), changes.apply(desk, plan_of(A, B)))
        answers = await asyncio.gather(*both, return_exceptions=True)
        return answers, await desk.shelf.applies.open_applies()

    answers, open_now = asyncio.run(scene())
    assert sorted(code_of(each) for each in answers) == ["", "E2042"]
    assert len(open_now) == 1


def test_of_two_that_do_not_meet_both_begin_at_the_same_instant(desk):
    desk.conductor.together = 2

    async def scene():
        await asyncio.gather(changes.apply(desk, plan_of(A)), changes.apply(desk, plan_of(B)))
        return await desk.shelf.applies.open_applies()

    assert len(asyncio.run(scene())) == 2


def test_without_the_check_of_the_store_both_would_change_the_same(desk):
    # The negative control: with the looks alone, whoever looks before the other has begun sees nobody.
    desk.conductor.together, desk.conductor.guarded = 2, False

    async def scene():
        await asyncio.gather(changes.apply(desk, plan_of(A)), changes.apply(desk, plan_of(A, B)))
        return await desk.shelf.applies.open_applies()

    assert len(asyncio.run(scene())) == 2


def test_an_apply_whose_plan_is_gone_holds_everything(desk):
    async def scene():
        await changes.apply(desk, plan_of(A))
        desk.shelf.disk.plans.clear()
        with pytest.raises(Refusal) as caught:
            await leases.check_free(desk, plan_of(B))
        return code_of(caught.value)

    assert asyncio.run(scene()) == "E2042"


def test_a_plan_that_changes_nothing_meets_nobody(desk):
    world = World()
    world.up(stack(A))

    async def scene():
        await changes.apply(desk, plan_of(A))
        return await leases.holders(desk, world.plan(stack(A)))

    assert asyncio.run(scene()) == []


def test_who_is_overtaken_again_and_again_gives_up_and_says_so(desk):
    class Overtaken(Conductor):
        async def start(self, start):
            self.together += 1
            other = replace(start, id=f"up-{self.together}", metadata={})
            await super().start(replace(other, program=replace(other.program, version="other")))
            return await super().start(start)

    store = desk.journal
    desk.conductor = Overtaken(store, together=-10_000)

    async def scene():
        return await changes._start(desk, plan_of(B), changes.compile_plan(plan_of(B)), {AFTER: ""})

    with pytest.raises(Refusal) as caught:
        asyncio.run(scene())
    assert code_of(caught.value) == "E2048"


@pytest.mark.slow
def test_the_file_decides_as_the_store_in_memory_does(tmp_path):
    async def scene():
        store = SqliteStore.open_for_writing(str(tmp_path / "state.db"))
        desk = Desk(store, Conductor(store, together=2))
        both = (changes.apply(desk, plan_of(A)), changes.apply(desk, plan_of(A, B)))
        answers = await asyncio.gather(*both, return_exceptions=True)
        await store.close()
        return [code_of(each) for each in answers]

    assert sorted(asyncio.run(scene())) == ["", "E2042"]
