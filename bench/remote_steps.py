"""Steps per second through a worker process on loopback: workload B, with steps that do nothing.

`PYTHONPATH=src:tests python bench/remote_steps.py [RUNS] [STEPS] [AT ONCE] [CHILDREN]`
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from dirigent.model.run.start import Start
from dirigent.workers.launch import started
from workers.rig import STEPS, call, engine_at, program


async def measure(folder: Path, runs: int, steps: int, at_once: int, children: int) -> None:
    """Run workload B and print what it took."""
    made = program(*(call("nothing", number) for number in range(steps)))
    command = [sys.executable, "-m", "dirigent", "worker", "-C", str(STEPS)]
    command += ["--connect", str(folder / "engine.sock"), "--concurrency", str(children), "--quiet"]
    async with engine_at(folder) as (engine, joined):
        worker = started(command)
        await joined.wait()
        gate = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with gate:
                run = await engine.start(Start(f"r{number}", made, None))
                ended = await engine.wait(run)
                assert ended.phase == "completed", ended

        for number in range(-20, 0):
            await one(number)
        began, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(number) for number in range(runs)))
        took, used = time.perf_counter() - began, time.process_time() - spent
        worker.terminate()
        worker.wait()
    others = os.times().children_user + os.times().children_system
    total = runs * steps
    print(f"{total} steps in {took:.2f} s: {total / took:.0f} steps/s")
    print(
        f"CPU s per 1,000 steps: engine {1000 * used / total:.3f}, "
        f"worker and its children, with their start, {1000 * others / total:.3f}"
    )


def main() -> None:
    """Read the figures, and measure."""
    runs, steps, at_once, children = [*map(int, sys.argv[1:]), *(1000, 10, 100, 2)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), runs, steps, at_once, children))


if __name__ == "__main__":
    main()
