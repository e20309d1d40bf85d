"""Random programs on the real store under a storm of kills: each does what the reference interpreter says."""

import asyncio
import os
import time
from dataclasses import replace

import pytest

from dirigent.model.run.journal import Ended
from dirigent.stores.sqlite import SqliteStore
from simulation.rig.guided import Guided, Unlike
from storms.rig.dice import Dice
from storms.rig.ledger import check, lines
from storms.rig.nursery import Nursery
from storms.rig.scattered import program

pytestmark = pytest.mark.slow

PROGRAMS = int(os.environ.get("DIRIGENT_PROGRAMS", "1000"))
LIFE = "storms.rig.scattered:live"
# So many promises are acknowledged between two kills, at most.
LEAST, MOST = 10, 400


def storm(folder, count, seed):
    """Let random programs run in lives that are killed, then one to the end; return kills and words."""
    nursery, dice, said, kills = Nursery(folder), Dice("programs", seed), [], 0
    path, first = str(folder / "state" / "dirigent.db"), seed * 1_000_000
    order = {
        "path": path,
        "seed": seed,
        "from": first,
        "to": first + count,
        "width": 20,
        "epoch": time.time(),
    }
    try:
        while True:
            life = nursery.begin(LIFE, order)
            if life.hear_lines(dice.between(LEAST, MOST)):
                life.kill()
            code = life.ended()
            said += lines(life.heard)
            if code == 0:
                return path, kills, said
            assert code == -9, life.told()
            kills += 1
    finally:
        nursery.close()


async def journals(path):
    store = SqliteStore.open_for_reading(path)
    try:
        return {found.id: await store.read(found.id) for found in await store.runs(limit=1_000_000)}
    finally:
        await store.close()


def test_random_programs_under_a_storm_of_kills_do_what_the_reference_says(tmp_path):
    path, kills, said = storm(tmp_path, PROGRAMS, seed=1)
    check(path, said)
    found = asyncio.run(journals(path))
    for run, facts in found.items():
        assert isinstance(facts[-1], Ended), run
        Guided(program(int(run.rpartition("-")[2]))).follow(facts)
    print(
        f"{len(found)} programs, {kills} kills, {sum(map(len, found.values()))} facts, 0 unlike the reference"
    )
    assert len(found) == PROGRAMS
    assert kills >= PROGRAMS // 100


def test_a_journal_that_ends_otherwise_is_found_out(tmp_path):
    path, _, _ = storm(tmp_path, 10, seed=2)
    run, facts = next(iter(asyncio.run(journals(path)).items()))
    wrong = [*facts[:-1], replace(facts[-1], output={"n": 77}, phase="completed")]
    with pytest.raises(Unlike):
        Guided(program(int(run.rpartition("-")[2]))).follow(wrong)
