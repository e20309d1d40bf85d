"""One life of the real composition with hundreds of runs under way; a death is ordered by a count of places.

It says what was acknowledged, as `storms.rig.life` does. Held runs are answered as a person would: who
looks at the server first.
"""

import asyncio
import importlib.util
import inspect
import os
import signal
import urllib.request
from contextlib import suppress
from pathlib import Path

from dirigent.app.stacks import Surrounding
from dirigent.engine import turning
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.service import changes, runs, stacks
from dirigent.settings import Settings
from storms.rig.crowd import KINDS
from storms.rig.life import REFUSED, say, sum_of
from system.rig.fuse import Death, Fuse, fuse_the_disk
from system.rig.life import conductor
from system.rig.plants import PLANTS

# Engines of the release before are played by this module too, and there the types lie elsewhere.
SHELF = (
    "dirigent.app.resources" if importlib.util.find_spec("dirigent.app.resources") else "dirigent.app.stacks"
)
TYPES = importlib.import_module(SHELF).TYPES


def live(order):
    """Live until all runs have ended, or until the ordered death."""
    say("L")
    death = Death(count=order["death"], seconds=order.get("seconds", 0.0)) if order["death"] else None
    fuse = Fuse(os.open(os.devnull, os.O_WRONLY), death)
    fuse_the_disk(fuse)
    folder = Path(order["folder"])
    os.chdir(folder)
    if order.get("poison"):
        envenom(order["poison"])
    plant = PLANTS[order["plant"]](fuse) if order.get("plant") else None
    try:
        asyncio.run(_live(order, folder, conductor(fuse, plant)))
    except Refusal as refusal:
        say("X", refusal.problems[0].code, refusal.problems[0].message)
        raise SystemExit(REFUSED) from None
    say("D", fuse.places)


def envenom(run):
    """Let this process be killed whenever it turns that run, as by memory that is not there."""

    def deadly(step):
        def stepped(live_run, *args, **kwargs):
            if live_run.id == run:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(live_run, *args, **kwargs)

        return stepped

    turning.turn, turning.recover = deadly(turning.turn), deadly(turning.recover)


async def _live(order, folder, conducting):
    stack = stacks.load_stack(folder / "stack.yaml", TYPES).stack
    around = Surrounding(Settings((folder / ".dirigent").absolute()), folder, stack)
    async with conducting(around) as desk:
        engine = desk.conductor.engine
        engine.observers.append(lambda run, _, first, facts: say("F", run, first, len(facts), sum_of(facts)))
        say("R")
        standing = await desk.shelf.runs(only_open=True, limit=100_000)
        say("O", len(standing))
        await _answer(desk, standing, order["port"])
        if order["width"]:
            await _apply(desk, stack, {"turn": order["life"]})
        missing = max(order["width"] - len(standing), 0)
        # All at once, so that hundreds are under way together.
        begun = await asyncio.gather(
            *(_start(desk, stack, f"{order['life']}-{number}", number) for number in range(missing))
        )
        await asyncio.gather(*(_end(desk, run, order["port"]) for run in [*begun, *(r.id for r in standing)]))


async def _start(desk, stack, name, number):
    kind = KINDS[number % len(KINDS)]
    run = RunId(f"{kind}-{name}")
    wanted = await runs.of_stack(desk.planner, stack, {"turn": 0}, kind, None)
    await desk.conductor.start(wanted.start(run))
    say("S", run)
    return run


async def _apply(desk, stack, inputs):
    """Change the files, unless the last change is under way still."""
    if not await changes.unfinished(desk.shelf):
        plan = await changes.proposed(desk.planner, changes.Aim(stack.name, stack, inputs))
        with suppress(Refusal):
            say("S", await _applied(desk, plan))


async def _applied(desk, plan):
    """Apply a plan; the release before this one wants the parts of a desk."""
    if "desk" in inspect.signature(changes.apply).parameters:
        return await changes.apply(desk, plan)
    return await changes.apply(desk.conductor, desk.shelf, plan)


async def _end(desk, run, port):
    """Wait for the end of a run; when it is held, answer."""
    waiting = asyncio.ensure_future(desk.conductor.engine.wait(run))
    while not (await asyncio.wait([waiting], timeout=LOOK_SECONDS))[0]:
        found = await desk.shelf.run(run)
        if found is not None and found.phase == "held":
            await _answer(desk, [found], port)
    return waiting.result()


LOOK_SECONDS = 0.5


async def _answer(desk, standing, port):
    for found in standing:
        if found.phase != "held":
            continue
        url = f"http://127.0.0.1:{port}/count/{found.id}"
        happened = await asyncio.to_thread(_fetched, url)
        for fact in await runs.answers_for(
            desk.journal, found.id, "done" if happened else "repeat", desk.clock.now()
        ):
            await desk.conductor.tell(found.id, fact)
            say("T", found.id, type(fact).__name__)


def _fetched(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.read())
