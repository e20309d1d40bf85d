"""A stack whose object gets another type, through the command line: moved once, and no change after it."""

from __future__ import annotations

import sys

import pytest

from cli.rig import ROOT, Desk

pytestmark = pytest.mark.slow
HEAD = "stack: small\nproviders: {fixture: {source: ./fixture}}\nsecrets: {token: {env: TOKEN}}\n"
THING = "resources: {old: {type: fixture_thing, with: {name: a, size: 1, key: '${ $secrets.token }'}}}\n"
ITEM = THING.replace("old:", "new:").replace("_thing", "_item")
MOVED = "moved: [{from: old, to: new}]\n"


@pytest.fixture
def desk(tmp_path):
    program = tmp_path / "fixture"
    (tmp_path / "world").mkdir()
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH='{ROOT / 'src'}:{ROOT / 'tests'}' FIXTURE_MODE=moves\n"
        f"export FIXTURE_WORLD='{tmp_path / 'world'}'\n"
        f"exec {sys.executable} {ROOT / 'tests/providers/tofu/fixture.py'}\n"
    )
    program.chmod(0o755)
    return Desk(tmp_path)


def say(desk, *words):
    told = desk.say(*words, TOKEN="hunter2", DIRIGENT_CACHE=str(desk.folder / "cache"))
    assert "hunter2" not in told.out + told.err
    return told


@pytest.mark.parametrize("once", [False, True])
def test_what_stands_is_moved_to_another_type_and_stays_what_it_is(desk, once):
    desk.write(HEAD + THING)
    made = say(desk, "up", "-y")
    assert made.code == 0, made
    thing = (desk.folder / "world/a.json").read_text()
    desk.write(HEAD + ITEM + ("" if once else MOVED))
    moved = say(desk, "move", "old", "new", "-y") if once else say(desk, "up", "-y")
    assert moved.code == 0, moved
    assert "moved from `old`, a `fixture_thing`" in moved.out + moved.err
    again = say(desk, "plan", "--json")
    assert again.code == 0, again
    assert [change["action"] for change in again.json["changes"]] == ["keep"]
    assert (desk.folder / "world/a.json").read_text() == thing
    desk.write(HEAD + ITEM.replace("size: 1", "size: 2"))
    assert say(desk, "up", "-y").code == 0
    assert '"size": 2' in (desk.folder / "world/a.json").read_text()
