"""What is shipped for users' tests keeps its word."""

import asyncio

import pytest

from dirigent.model.fault import Fault
from dirigent.model.ids import effect_id
from dirigent.model.problem import Refusal
from dirigent.model.run.command import Question
from dirigent.model.run.effect import Broken, Done, Doubt, Order
from dirigent.model.run.journal import Created, Succeeded
from dirigent.model.values import Expression, SecretRef, SecretText
from dirigent.testing import (
    Crash,
    FakeVault,
    Fuse,
    FusedStore,
    MemoryStore,
    Rule,
    ScriptedOracle,
    ScriptedPerformer,
    VirtualClock,
    World,
)
from stores.samples import AT, PAY, PROGRAM, code_of, in_loop


def order(position=PAY, attempt=1, function="http", **more):
    return Order("r", position, attempt, effect_id("r", position), function, {"n": attempt}, **more)


# --- The clock


@in_loop
async def test_time_jumps_to_whoever_wants_to_wake_first():
    clock, woken = VirtualClock(1000.0), []

    async def sleep(name, at):
        await clock.sleep_until(at)
        woken.append((name, clock.now()))

    await asyncio.gather(sleep("c", 1e6), sleep("a", 1010.0), sleep("b", 1010.0), sleep("past", 5.0))
    assert woken == [("past", 1000.0), ("a", 1010.0), ("b", 1010.0), ("c", 1e6)]
    assert clock.jumps == 2


@in_loop
async def test_a_year_of_minutes_passes_in_order():
    clock, ticks = VirtualClock(0.0, patience=5), []

    async def tick(every, until):
        while clock.now() < until:
            await clock.sleep_until(clock.now() + every)
            ticks.append(clock.now())

    await asyncio.gather(tick(86_400.0, 31_536_000.0), tick(864_000.0, 31_536_000.0))
    assert ticks == sorted(ticks)
    assert len(ticks) == 365 + 37


@in_loop
async def test_time_stands_still_while_somebody_works():
    clock = VirtualClock(0.0)

    async def work():
        for _ in range(30):
            await asyncio.sleep(0)
        return clock.now()

    sleeper = asyncio.create_task(clock.sleep_until(10.0))
    assert await work() == 0.0
    await sleeper
    assert clock.now() == 10.0


@in_loop
async def test_a_held_clock_waits_for_work_outside_the_loop():
    clock = VirtualClock(0.0, patience=2)
    sleeper = asyncio.create_task(clock.sleep_until(10.0))
    with clock.hold():
        await asyncio.to_thread(sum, range(200_000))
        assert clock.now() == 0.0
    await sleeper


@in_loop
async def test_a_sleeper_that_was_cancelled_moves_no_time():
    clock = VirtualClock(0.0)
    sleeper = asyncio.create_task(clock.sleep_until(10.0))
    await asyncio.sleep(0)
    sleeper.cancel()
    await clock.sleep_until(3.0)
    assert clock.now() == 3.0
    clock.advance(5.0)
    assert clock.now() == 8.0


def test_a_clock_goes_on_after_the_loop_that_it_was_used_in():
    clock = VirtualClock(0.0)

    async def die():
        asyncio.get_running_loop().create_task(clock.sleep_until(10.0))
        await asyncio.sleep(0)

    asyncio.run(die())
    asyncio.run(clock.sleep_until(20.0))
    assert clock.now() == 20.0


# --- Death


def test_a_fuse_burns_through_at_the_chosen_place_and_stays_dead():
    fuse = Fuse(3, 1)
    fuse.burn("one")
    fuse.burn("two")
    with pytest.raises(Crash, match="three"):
        fuse.burn("three")
    with pytest.raises(Crash, match="dead already"):
        fuse.burn("four")
    assert fuse.places == ["one", "two", "three"]
    fuse.revive()
    with pytest.raises(Crash, match="again"):
        fuse.burn("again")
    fuse.revive()
    for _ in range(100):
        fuse.burn("on and on")
    assert fuse.lives == 3


def test_no_handler_of_exceptions_survives_a_crash():
    assert not issubclass(Crash, Exception)


@pytest.mark.parametrize(("death", "stored"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
@in_loop
async def test_an_append_can_die_before_and_after_it_is_stored(death, stored):
    fuse, memory = Fuse(death), MemoryStore()
    store = FusedStore(memory, fuse)
    digest = await store.keep(PROGRAM)
    try:
        await store.append("r", 0, [Created(AT, digest, None)])
        await store.append("r", 1, [Succeeded(AT, PAY, 1, None)])
    except Crash:
        assert len(fuse.places) == death
    assert len(await memory.read("r")) == stored
    assert await store.read("r") == await memory.read("r")
    assert await store.runs() == await memory.runs()


# --- Performers


@in_loop
async def test_a_performer_follows_its_script_attempt_by_attempt():
    broken = Broken(Fault("urn:t", 503))
    performer = ScriptedPerformer(
        Rule("http", "*/pay", answers=[broken, lambda order: Done(order.attempt * 10)]), Rule("shell")
    )
    assert await performer.perform(order()) == broken
    assert await performer.perform(order(attempt=2)) == Done(20)
    assert await performer.perform(order(attempt=9)) == Done(90)
    assert await performer.perform(order("/do/x", function="shell")) == Done({"n": 1})
    assert await performer.perform(order("/do/y", function="other")) == Done({"n": 1})
    assert performer.world.effects[effect_id("r", PAY)] == 3


@pytest.mark.parametrize(("doubt", "effects"), [("keyed", 1), ("repeat", 2), ("unknown", 1)])
@in_loop
async def test_a_doubtful_order_meets_what_its_rule_says(doubt, effects):
    world, fuse = World(), Fuse(2)
    performer = ScriptedPerformer(Rule(doubt=doubt), world=world, fuse=fuse)
    with pytest.raises(Crash):
        await performer.perform(order())
    fuse.revive()
    again = await performer.perform(order(doubtful=True))
    assert world.effects[effect_id("r", PAY)] == effects
    assert isinstance(again, Doubt) == (doubt == "unknown")


@in_loop
async def test_a_death_before_the_effect_leaves_the_world_alone():
    fuse = Fuse(1)
    performer = ScriptedPerformer(fuse=fuse)
    with pytest.raises(Crash):
        await performer.perform(order())
    assert not performer.world.effects
    fuse.revive()
    await performer.perform(order(doubtful=True))
    assert performer.world.effects.total() == 1


@in_loop
async def test_an_effect_takes_its_time_and_can_be_abandoned():
    clock = VirtualClock(0.0)
    performer = ScriptedPerformer(Rule(seconds=30.0), clock=clock)
    await performer.perform(order())
    assert clock.now() == 30.0
    await performer.abandon(order())
    assert performer.world.abandoned == [order()]


# --- Vault and oracle


def test_a_vault_reveals_and_redacts():
    vault = FakeVault({"key": "abc", "longer": "abcdef"})
    secret = SecretText(("Bearer ", SecretRef("key")))
    assert vault.reveal({"a": [secret, 1]}) == {"a": ["Bearer abc", 1]}
    assert vault.redact({"abc": ["xabcdefx", 2]}) == {"(secret key)": ["x(secret longer)x", 2]}
    with pytest.raises(Refusal) as caught:
        vault.reveal(SecretText((SecretRef("none"),)))
    assert code_of(caught) == "E6001"


@in_loop
async def test_an_oracle_answers_by_its_function_or_gives_faults():
    question = Question(Expression(".a"), {"a": 1}, {})
    assert await ScriptedOracle(lambda asked: asked.dot["a"]).answer([question, question]) == (1, 1)
    (fault,) = await ScriptedOracle().answer([question])
    assert isinstance(fault, Fault)
