"""What `init` writes is a stack that works, from the first command to the last."""

from __future__ import annotations

import json
import urllib.request

import pytest

pytestmark = pytest.mark.slow


def test_a_new_stack_lives_a_whole_life(desk):
    told = desk.say("init")
    assert told.code == 0
    assert "next: dirigent check" in told.out
    assert "ok (stack " in desk.say("check").out
    assert "3 to create" in desk.say("plan").out
    try:
        applied = desk.answer("up", "--yes")
        with urllib.request.urlopen(f"{applied['outputs']['url']}/index.html", timeout=10) as response:
            assert response.read() == b"Hello, world!\n"
        assert json.loads(desk.say("run", "visit", "--json").out)["output"]["page"] == "Hello, world!\n"
        assert desk.answer("up", "--yes", "-i", "greeting=Bye")["phase"] == "completed"
        assert desk.answer("run", "visit")["output"]["page"] == "Bye, world!\n"
        assert desk.say("logs", "web").out
    finally:
        assert desk.say("down", "--yes", "-i", "greeting=x").code in {0, 2}
        assert desk.say("down", "--yes").code == 0
    assert desk.answer("ps")["resources"] == []
    assert not (desk.folder / "site").exists()


def test_a_new_stack_goes_into_a_folder_and_is_named(desk):
    told = desk.say("init", "My Shop!", "--name", "shop")
    assert told.code == 0
    assert "-C 'My Shop!'" in told.out
    assert desk.say("check", "-C", "My Shop!").out.count("stack shop")


def test_nothing_that_exists_is_overwritten(small):
    before = (small.folder / "stack.yaml").read_text()
    told = small.say("init")
    assert told.code == 2
    assert "E7003" in told.err
    assert (small.folder / "stack.yaml").read_text() == before
    assert not (small.folder / "workflows").exists()
