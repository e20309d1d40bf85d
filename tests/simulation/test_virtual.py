"""Virtual time is exact, and the dead do nothing."""

import asyncio

import pytest

from dirigent.testing import Dice, Universe, UniverseClock, simulate


def test_sleepers_wake_in_order_of_time_at_their_moment():
    async def life(clock):
        begun, woken = clock.now(), []

        async def sleep(seconds):
            await clock.sleep_until(begun + seconds)
            woken.append(clock.now() - begun)

        await asyncio.gather(*(sleep(seconds) for seconds in (3, 1, 2.5, 1)))
        return woken

    assert simulate(life) == [1, 1, 2.5, 3]


def test_time_outs_of_asyncio_are_virtual_too():
    async def life(clock):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await clock.sleep_until(clock.now() + 3600)
        return clock.now()

    assert simulate(life) == 1_000_060.0


def test_a_month_takes_no_time():
    async def life(clock):
        for _ in range(30):
            await clock.sleep_until(clock.now() + 86_400)
        return clock.now()

    assert simulate(life) == 1_000_000.0 + 30 * 86_400


def test_what_hangs_is_told():
    async def life(clock):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match="quiet"):
        simulate(life)


def test_what_goes_round_is_told():
    universe = Universe()
    process = universe.process("round")

    def again():
        process.call_soon(again)

    again()
    assert universe.run(lambda: False, steps=100) == "busy"
    universe.close()


def orders(seed):
    async def life(clock):
        woken = []

        async def sleep(name):
            await clock.sleep_until(clock.now() + 1)
            woken.append(name)

        await asyncio.gather(*map(sleep, range(5)))
        return tuple(woken)

    return simulate(life, seed)


def test_a_seed_decides_what_comes_first_of_what_is_due_at_once():
    assert orders(None) == (0, 1, 2, 3, 4)
    assert len({orders(seed) for seed in range(20)}) > 10
    assert orders(3) == orders(3)


def test_a_killed_process_does_nothing_more_not_even_its_finally():
    universe, said = Universe(), []
    clock = UniverseClock(universe)

    async def life():
        try:
            await clock.sleep_until(clock.now() + 5)
        finally:
            said.append("cleaned up")

    dead, alive = universe.process("dead"), universe.process("alive")
    dead.create_task(life())
    task = alive.create_task(life())
    alive.call_later(1, dead.kill)
    assert universe.run(task.done) == "over"
    assert said == ["cleaned up"]
    universe.close()


def test_a_paused_process_wakes_late_and_knows_the_time():
    universe, woken = Universe(), []
    clock = UniverseClock(universe)

    async def life():
        await clock.sleep_until(clock.now() + 1)
        woken.append(clock.now())

    process, other = universe.process("paused"), universe.process("other")
    task = process.create_task(life())
    other.call_later(0.5, setattr, process, "paused", True)
    other.call_later(9, setattr, process, "paused", False)
    assert universe.run(task.done) == "over"
    assert woken == [1_000_009.0]
    universe.close()


def test_a_failure_that_nobody_awaits_is_a_complaint():
    universe = Universe()
    process = universe.process("one")
    process.call_soon(lambda: 1 / 0)
    universe.run(lambda: bool(universe.complaints))
    assert isinstance(universe.complaints[0][1], ZeroDivisionError)
    universe.close()


def test_dice_of_one_seed_roll_alike_and_labels_set_them_apart():
    assert [Dice(1).bits() for _ in range(3)] == [Dice(1).bits() for _ in range(3)]
    assert len({Dice(1, label).bits() for label in ("", "a", "b", "ab")}) == 4
    rolls = [Dice(seed).below(6) for seed in range(6000)]
    assert all(900 < rolls.count(face) < 1100 for face in range(6))
    assert all(0 <= Dice(seed).fraction() < 1 for seed in range(100))
    assert {Dice(seed).between(3, 5) for seed in range(50)} == {3, 4, 5}
