"""The state directory does not grow with every command that was ever run."""

import asyncio
from pathlib import Path

import pytest

from dirigent.app.conducting import conducting
from dirigent.app.stacks import Surrounding
from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.workflow.document import read_workflow
from dirigent.model.fault import Fault
from dirigent.model.ids import Position, RunId, effect_id
from dirigent.model.run.journal import Created, Ended, Failed, Held, Intended, Succeeded, TimerFired, Vouched
from dirigent.model.run.start import Start
from dirigent.service.spools import Spools
from dirigent.settings import Settings
from dirigent.shim import attach
from dirigent.testing import MemoryStore
from stores.samples import PROGRAM

RUN = RunId("run")
EFFECT = effect_id(RUN, Position("/do/0/a"))
COMMANDS = """
document: {dsl: 1.0.3, namespace: test, name: commands, version: 1.0.0}
do:
  - each:
      for: {in: '${ [range(5)] }'}
      do:
        - say: {run: {shell: {command: echo said}}}
  - fail:
      try: [{no: {run: {shell: {command: exit 3}}}}]
      catch: {as: error}
"""


def spools_of(tmp_path, *names):
    for name in names:
        (tmp_path / "spool" / name).mkdir(parents=True)
        (tmp_path / "spool" / name / "order.json").write_text("{}")
    return Spools(str(tmp_path / "spool"))


@pytest.mark.parametrize(
    "fact",
    [
        Succeeded(1.0, Position("/do/0/a"), 1, None),
        Failed(1.0, Position("/do/0/a"), 1, Fault("type", 500, "title", "")),
        Vouched(1.0, Position("/do/0/a"), 1, None),
    ],
)
def test_the_spool_of_an_attempt_goes_when_its_end_is_durable(tmp_path, fact):
    spools = spools_of(tmp_path, f"{EFFECT}-1", f"{EFFECT}-1.1", f"{EFFECT}-2", "other-1")

    spools.hear(RUN, PROGRAM, 0, [fact])

    assert spools.left() == sorted([f"{EFFECT}-2", "other-1"])


@pytest.mark.parametrize(
    "fact",
    [
        Intended(1.0, Position("/do/0/a"), 1, None),
        Held(1.0, Position("/do/0/a"), 1, "why", {}),
        TimerFired(1.0, Position("/do/0/a"), 1, "retry"),
    ],
)
def test_the_spool_of_an_attempt_that_is_under_way_or_held_stays(tmp_path, fact):
    spools = spools_of(tmp_path, f"{EFFECT}-1")

    spools.hear(RUN, PROGRAM, 0, [fact])

    assert spools.left() == [f"{EFFECT}-1"]


def test_what_a_killed_engine_left_is_swept_but_for_what_still_stands(tmp_path):
    spools = spools_of(tmp_path, f"{EFFECT}-1", "done-1", "done-1.1", "done-2")

    asyncio.run(spools.sweep(spools.left(), {EFFECT}, MemoryStore()))

    assert spools.left() == [f"{EFFECT}-1"]


def test_what_a_person_must_judge_is_kept_while_its_run_is_open(tmp_path):
    spools = spools_of(tmp_path, "open-1", "over-1", "gone-1", "none-1")
    for name in ("open", "over", "gone"):
        attach.hold(f"{tmp_path}/spool/{name}-1", name)

    async def scene():
        store = MemoryStore()
        digest = await store.keep(PROGRAM)
        for name in ("open", "over"):
            await store.append(name, 0, [Created(1.0, digest, None), Held(1.0, "/do/0/a", 1, "why")])
        await store.append("over", 2, [Ended(1.0, "cancelled")])
        await spools.sweep(spools.left(), set(), store)

    asyncio.run(scene())
    assert spools.left() == ["open-1"]


@pytest.mark.slow
def test_a_run_of_commands_leaves_no_spool_behind(tmp_path):
    around = Surrounding(Settings(tmp_path / "state"), tmp_path)
    node, _ = load(COMMANDS, "commands.yaml")
    program, problems = read_workflow(node, "commands.yaml", COMMANDS, LANGUAGE)
    assert not problems
    stale = Path(around.settings.spool, "0123-1")
    stale.mkdir(parents=True)

    async def scene():
        async with conducting(around) as desk:
            run = await desk.conductor.start(Start(RunId("commands-1"), program))
            return await desk.conductor.follow(run, lambda *_: None)

    assert asyncio.run(scene()).phase == "completed"
    assert list(Path(around.settings.spool).iterdir()) == []
