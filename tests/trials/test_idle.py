"""Virtual time moves when an event loop has nothing left to do, and never before."""

from __future__ import annotations

import asyncio
import sys

import pytest

from dirigent.testing import Crash, IdleClock

WEEK = 7 * 86_400.0


def test_a_week_passes_at_once_and_sleepers_wake_in_order():
    clock = IdleClock(0.0)
    woken = []

    async def sleeper(name, at):
        await clock.sleep_until(at)
        woken.append((name, clock.now()))

    async def scene():
        await asyncio.gather(sleeper("late", WEEK), sleeper("early", 1.0), sleeper("also early", 1.0))

    clock.run(scene)
    assert woken == [("early", 1.0), ("also early", 1.0), ("late", WEEK)]


def test_work_of_many_rounds_is_done_before_time_moves():
    clock = IdleClock(0.0)

    async def scene():
        alarm = asyncio.ensure_future(clock.sleep_until(1.0))
        for _ in range(10_000):
            await asyncio.sleep(0)
        assert clock.now() == 0.0
        assert not alarm.done()
        await alarm
        return clock.now()

    assert clock.run(scene) == 1.0


def test_time_stands_still_while_a_process_works_and_the_clock_is_held():
    clock = IdleClock(0.0)

    async def scene():
        alarm = asyncio.ensure_future(clock.sleep_until(1.0))
        with clock.hold():
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('done')", stdout=-1)
            told, _ = await process.communicate()
        during = clock.now()
        await alarm
        return told.strip(), during, clock.now()

    assert clock.run(scene) == (b"done", 0.0, 1.0)


def test_it_says_when_nothing_can_happen_any_more():
    clock = IdleClock(0.0)

    async def scene():
        await clock.sleep_until(5.0)
        never = asyncio.ensure_future(clock.sleep_until(float("inf")))
        await clock.stalled()
        return never.done(), clock.now()

    assert clock.run(scene) == (False, 5.0)


def test_a_sleeper_that_was_cancelled_moves_nothing():
    clock = IdleClock(0.0)

    async def scene():
        gone = asyncio.ensure_future(clock.sleep_until(3.0))
        await asyncio.sleep(0)
        gone.cancel()
        await clock.sleep_until(7.0)
        return clock.now()

    assert clock.run(scene) == 7.0


def test_it_outlives_a_loop_that_died_and_forgets_who_slept_there():
    clock = IdleClock(0.0)

    async def dies():
        clock.sleep_until(2.0).close()
        sleeping = asyncio.ensure_future(clock.sleep_until(99.0))
        await clock.sleep_until(1.0)
        assert not sleeping.done()
        raise Crash("here")

    async def goes_on():
        await clock.stalled()
        return clock.now()

    with pytest.raises(Crash):
        clock.run(dies)
    assert clock.run(goes_on) == 1.0
