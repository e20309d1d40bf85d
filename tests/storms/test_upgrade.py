"""What the release before has written, this one opens and brings to the same ends; also in a storm."""

import asyncio
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.model.run.journal import JOURNAL_VERSION, Ended
from dirigent.stores import codec
from dirigent.stores.sqlite import SqliteStore
from storms.required import needs
from storms.rig.kills import Power, storm
from storms.rig.nursery import ROOT
from storms.rig.upgrade import cases, end_of, form, shown, unpacked

HERE = Path(__file__).parent
GOLDEN = sorted((HERE / "upgrade").glob("*/"))
BEFORE = "6549a98"


async def contents(path):
    """Return every run's facts and program, as this release reads them after it has opened the file."""
    store = SqliteStore.open_for_writing(str(path))
    found = {}
    for run in await store.runs(limit=100_000):
        facts = await store.read(run.id)
        found[run.id] = (facts, await store.definition(facts[0].definition))
    await store.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_every_run_that_an_earlier_release_left_comes_to_the_same_end(golden, tmp_path):
    ends = json.loads((golden / "ends.json").read_text())
    found = asyncio.run(contents(unpacked(golden, tmp_path)))
    assert found.keys() == ends.keys()
    known, driven = dict(cases()), 0
    for run, wanted in ends.items():
        facts, program = found[run]
        if isinstance(facts[-1], Ended):
            assert json.loads(json.dumps(shown(facts[-1]))) == wanted, run
        elif wanted is not None:
            case = replace(known[run.partition("~")[0]], program=program)
            assert json.loads(json.dumps(end_of(case, facts))) == wanted, run
            driven += 1
    print(f"{golden.name}: {len(ends)} runs, {driven} of them driven to their end")
    assert driven > 100


def test_there_is_a_golden_store_and_it_holds_what_it_says():
    assert GOLDEN
    assert all((golden / "ends.json").exists() for golden in GOLDEN)


def complaints(kept, now):
    """Return what is not allowed to differ between a release and what comes after it."""
    found = [
        f"{name} was released: a change is another migration"
        for name, digest in kept["migrations"].items()
        if now["migrations"].get(name) != digest
    ]
    if now["journal"] == kept["journal"]:
        mend = "raise JOURNAL_VERSION and add golden journals"
        changed = [name for name, content in kept["facts"].items() if now["facts"].get(name) != content]
        found += [f"{name} is written otherwise: {mend}" for name in changed]
    return found


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_the_format_does_not_change_without_a_version(golden):
    assert complaints(json.loads((golden / "form.json").read_text()), form()) == []


def test_every_version_of_the_journal_that_was_released_is_the_newest_or_an_older_one():
    kept = [json.loads((golden / "form.json").read_text())["journal"] for golden in GOLDEN]
    assert max(kept) <= JOURNAL_VERSION


def test_a_changed_format_is_noticed(monkeypatch):
    kept, sound = form(), codec.encode_fact
    assert complaints(kept, form()) == []
    monkeypatch.setattr(codec, "encode_fact", lambda fact: sound(fact) + b"\xc0")
    assert len(complaints(kept, form())) == len(kept["facts"])
    assert complaints(kept, {**form(), "journal": JOURNAL_VERSION + 1}) == []
    assert complaints({**kept, "migrations": {"0001_journal.sql": "another"}}, kept)


@pytest.fixture
def before(tmp_path):
    """The code of the release before, as the history of this checkout has it."""
    place = tmp_path / "before"
    place.mkdir()
    words = ["git", "-C", str(ROOT), "archive", BEFORE, "src", "tests"]
    archive = subprocess.run(words, capture_output=True, check=False)
    needs("history", None if archive.returncode == 0 else f"this checkout has no commit {BEFORE}")
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive.stdout, check=True)
    return place


@pytest.mark.slow
def test_engines_of_the_release_before_are_killed_and_this_one_goes_on(before, tmp_path):
    found = storm(tmp_path, Power(12, runs=101), seed=3, before=before)
    print(found.figures())
    assert found.kills >= 12
    assert found.runs > 100
    assert found.effects == {1: found.effects.total()}
