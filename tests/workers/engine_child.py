"""An engine in a process of its own, to be killed: `engine_child.py FOLDER RUNS`."""

import asyncio
import sys
from pathlib import Path

from dirigent.model.program import OnDoubt
from dirigent.model.run.start import Start
from workers.rig import call, engine_at, program


async def main(folder, number):
    ledger = str(folder / "ledger")
    async with engine_at(folder) as (engine, _):
        for n in range(number):
            policy = OnDoubt.REPEAT if n % 2 else OnDoubt.HOLD
            kind = "idempotent" if n % 2 else "once"
            calls = [
                call("noted", ledger, f"{kind} r{n} s{step}", 0.01, on_doubt=policy) for step in range(4)
            ]
            await engine.start(Start(f"r{n}", program(*calls), None))
        print("made", flush=True)
        while True:
            found = await engine.shelf.runs(limit=1000)
            if all(not run.open or run.phase == "held" for run in found):
                break
            await asyncio.sleep(0.02)
        held = sum(run.phase == "held" for run in found)
        print(f"over {len(found)} {held} {sum(run.phase == 'completed' for run in found)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
