"""`query`: what a provider knows, what of it is managed, and the rest taken over in one go."""

from __future__ import annotations

import sys

import pytest

from cli.rig import ROOT
from cli.test_json import refused, valid
from dirigent.ports.importing import Found
from dirigent.service.resources.inventories import Query, written

STACK = """\
stack: small
providers: {fixture: {source: ./terraform-provider-fixture}}
"""


def test_what_is_written_takes_over_what_is_not_managed_under_names_of_their_own():
    found = [
        Found("1", "Web 1", "web"),
        Found("2", "Web 1", config={"size": 2, "odd": "${ 1 }"}),
        Found("3", "web-1"),
        Found("", "lost"),
        Found('{"n": "${ x }"}', "odd"),
        Found("4", "7 of 9"),
    ]
    text = written(Query("box", "west"), found, ["web-1"])
    assert '  web-1-2:\n    type: box\n    provider: west\n    with:\n      "size": 2\n' in text
    assert '  - {to: web-1-2, id: "2"}\n  - {to: web-1-3, id: "3"}\n  - {to: found-7-of-9, id: "4"}\n' in text
    assert ("odd" in text, "lost" in text) == (False, False)
    assert written(Query("box"), found[:1], []) == ""


@pytest.fixture
def stack(desk):
    program = desk.folder / "terraform-provider-fixture"
    world = desk.folder / "world"
    world.mkdir()
    lines = [
        "#!/bin/sh",
        f"export PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'} FIXTURE_WORLD={world}",
        "export FIXTURE_MODE='lists, identified'",
        f"exec {sys.executable} {ROOT / 'tests/providers/tofu/fixture.py'}",
    ]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)
    things = "".join(f"  {n}: {{type: fixture_thing, with: {{name: {n}}}}}\n" for n in ("ada", "bob", "cy"))
    desk.write(f"{STACK}resources:\n{things}")
    return desk


@pytest.mark.slow
def test_what_is_not_managed_is_listed_and_taken_over_in_one_go(stack):
    assert valid("query", stack.answer("query", "fixture_thing"))["objects"] == []
    assert stack.say("up", "--yes").code == 0
    assert stack.say("forget", "bob", "cy", "--yes").code == 0
    stack.write(STACK)
    found = valid("query", stack.answer("query", "fixture_thing"))
    assert [each["managed"] for each in found["objects"]] == ["ada", None, None]
    told = stack.say("query", "fixture_thing", "--with", "prefix=b", "--write", "more.yaml")
    assert (told.code, "thing bob" in told.out, "cy" in told.out) == (0, True, False), told
    assert stack.say("query", "fixture_thing", "--write", "more.yaml").code == 2
    some = valid("query", stack.answer("query", "fixture_thing", "--limit", "1"))
    assert (len(some["objects"]), some["whole"]) == (1, False)
    more = (stack.folder / "more.yaml").read_text()
    ada = "  ada: {type: fixture_thing, with: {name: ada}}\n"
    stack.write(STACK + more.replace("resources:\n", f"resources:\n{ada}"))
    up = stack.say("up", "--yes")
    assert up.code == 0, up
    found = valid("query", stack.answer("query", "fixture_thing"))
    assert [each["managed"] for each in found["objects"]] == ["ada", "thing-bob", None]
    assert stack.say("plan", "--check").code == 0
    refused(stack.say("query", "docker_image", "--json"), "E2039", 2)
