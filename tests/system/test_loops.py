"""The engine on either event loop: that of the standard library, and the faster one where it is installed."""

import asyncio
import gc

import pytest

import dirigent
from dirigent.app.rarely import NEW_OBJECTS
from dirigent.cli.waiting import loop_factory
from durable import flows


@dirigent.workflow
async def wide(numbers: list[int]) -> list[int]:
    return [await flows.double(n) for n in await dirigent.gather(*[flows.triple(n) for n in numbers])]


def _made(name):
    if name == "asyncio":
        return asyncio.new_event_loop
    faster = loop_factory()
    if faster is None:
        pytest.skip("uvloop is not installed")
    return faster


async def _lives(folder):
    ends = []
    for number in range(2):
        async with dirigent.open(folder) as orchestra:
            assert gc.get_threshold()[0] >= NEW_OBJECTS
            started = [await orchestra.start(wide([x, 7]), id=f"{number}-{x}") for x in range(3)]
            ends.append([await each.result() for each in started])
            kept = orchestra.run(wide, "0-1")
            assert await kept.result() == ends[0][1]
    return ends


@pytest.mark.slow
@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_runs_end_alike_and_are_known_to_the_next_engine(name, tmp_path):
    with asyncio.Runner(loop_factory=_made(name)) as runner:
        assert type(runner.get_loop()).__module__.startswith(name)
        first, second = runner.run(_lives(tmp_path))
    assert first == second == [[6 * x, 42] for x in range(3)]
