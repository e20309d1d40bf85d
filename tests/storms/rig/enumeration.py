"""Every state in which a crash can leave a store: each is laid out and opened by the store and the engine."""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dirigent.model.problem import Refusal
from dirigent.stores.sqlite import SqliteStore
from storms.rig.dice import Dice
from storms.rig.ledger import Lost, check
from storms.rig.life import Noting, engine_on, go_on
from storms.rig.states import Disk, digest, lay_out
from storms.rig.trace import traced

MEMORY = Path("/dev/shm")
# The engine itself goes on from each such state; the store is opened from all of them.
DRIVEN_EACH = 25
# Small enough that a checkpoint comes in the middle of the trace.
CHECKPOINT_PAGES = 60
# After so many commits the log is made so long beforehand.
LOG = (8, 300_000)
DRIVING_SECONDS = 60.0
PROGRAM = """
from storms.rig.life import live
for order in {orders!r}:
    live(order)
"""


@dataclass
class Tried:
    """What came of it; `wrong` says of each state that did not hold what was promised why not."""

    points: int = 0
    states: int = 0
    driven: int = 0
    promises: int = 0
    wrong: list = field(default_factory=list)

    def kinds(self):
        """Return how many states were wrong in which way."""
        return Counter(type(each).__name__ for each in self.wrong)


def lives(path, seed, runs, weak):
    """Return the program that is traced: a store is made, used, closed, and used again until a checkpoint."""
    order = {"path": str(path), "runs": runs, "width": 3, "weak": weak}
    order |= {"checkpoint": CHECKPOINT_PAGES, "log": LOG}
    return PROGRAM.format(orders=[{**order, "seed": f"{seed}-{life}"} for life in "ab"])


def try_all(folder, seed, *, runs=4, most=5, weak=""):
    """Trace a store's life, and try every state of it; at most some `most` random ones at each point."""
    source = Path(folder, "traced")
    source.mkdir()
    steps = traced(source, Path(folder, "log"), lives(source / "dirigent.db", seed, runs, weak))
    disk, dice, tried, seen, said = Disk(str(source)), Dice("states", seed), Tried(), set(), []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else folder) as room:
        for step in steps:
            if step.kind == "say":
                said.append(json.loads(step.content))
                continue
            disk.follow(step)
            tried.points += 1
            for state in disk.states(dice, most):
                name = (digest(state), len(said))
                if name not in seen:
                    seen.add(name)
                    _try(tried, state, said, source, Path(room, "state"))
    tried.promises = len(said)
    return tried


def _try(tried, state, said, source, target):
    """Lay out one state, and note whether it holds everything that was said."""
    target.mkdir()
    lay_out(state, source, target)
    tried.states += 1
    path = str(target / "dirigent.db")
    try:
        if any(each[0] in "FSTPE" for each in said):
            check(path, said)
        if tried.states % DRIVEN_EACH == 1:
            asyncio.run(drive(path))
            tried.driven += 1
    except (Lost, Refusal) as wrong:
        tried.wrong.append(wrong)
    shutil.rmtree(target)


async def drive(path):
    """Let an engine go on from here: every run comes to its end."""
    store = SqliteStore.open_for_writing(path)
    engine = engine_on(store, Noting(0, tell=lambda *_: None))
    try:
        await engine.open()
        async with asyncio.timeout(DRIVING_SECONDS):
            for run in await go_on(engine, store):
                await engine.wait(run)
        left = [found.id for found in await store.runs(limit=1000) if found.phase != "completed"]
        if left or engine.left_out:
            raise Lost(f"{left} did not complete, {engine.left_out} were left out")
    finally:
        await engine.close()
        store.abandon()
