"""Providers that are added, replaced or foreign while an engine runs: what plans is what carries out."""

from __future__ import annotations

import sys

import pytest

from cli.rig import ROOT
from cli.test_warm import serving

pytestmark = pytest.mark.slow

PLAIN = """\
stack: grown
resources:
  note: {type: file, with: {path: note.txt, content: hello}}
"""
PROVIDED = """\
stack: NAME
providers:
  leaker: {source: ./terraform-provider-leaker, with: {token: t}}
resources:
  note: {type: file, with: {path: note.txt, content: hello}}
  thing: {type: leaker_thing, with: {name: NAME, size: SIZE, key: KEY}}
"""


def declared(name="grown", size=1, key="k"):
    return PROVIDED.replace("NAME", name).replace("SIZE", str(size)).replace("KEY", key)


def provide(desk, release):
    """Lay a provider beside the stack: each release is another program, and leaves a sign of itself."""
    program = desk.folder / "terraform-provider-leaker"
    sign = desk.folder / f"release-{release}"
    lines = [
        "#!/bin/sh",
        f"export PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'} LEAKER_FOLDER={desk.folder}",
        f'echo started >> "{sign}"',
        f"exec {sys.executable} -m providers.hostile.leaker",
    ]
    fresh = program.with_name("fresh")
    fresh.write_text("\n".join(lines) + "\n")
    fresh.chmod(0o755)
    fresh.replace(program)
    return sign


@pytest.fixture
def grown(desk):
    (desk.folder / "mode").write_text("calm")
    return desk.write(PLAIN)


def test_providers_that_are_added_while_an_engine_runs_are_taken_up_by_it(grown):
    with serving(grown):
        assert grown.answer("up", "--yes")["phase"] == "completed"
        provide(grown, 1)
        grown.write(declared())
        assert grown.answer("up", "--yes")["phase"] == "completed"
        # A stored plan of an edited stack is carried out without anybody reading the stack.
        grown.write(declared(size=2))
        stored = grown.answer("plan")["id"]
        assert grown.answer("up", stored, "--yes")["phase"] == "completed"
        assert grown.say("plan", "--check").code == 0
    assert grown.say("plan", "--check").code == 0


def test_a_provider_that_is_replaced_while_an_engine_runs_is_the_new_one_at_once(grown):
    first = provide(grown, 1)
    grown.write(declared())
    with serving(grown):
        assert grown.answer("up", "--yes")["phase"] == "completed"
        second = provide(grown, 2)
        before = first.read_text()
        grown.write(declared(size=2))
        assert grown.answer("up", "--yes")["phase"] == "completed"
        # One process plans and carries out.
        assert first.read_text() == before
        assert second.exists()
        assert grown.say("plan", "--check").code == 0


def test_a_plan_for_which_the_engine_has_no_provider_is_refused_before_it_is_approved(
    grown,
):
    provide(grown, 1)
    grown.write(declared("other"), "other.yaml")
    with serving(grown):
        refused = grown.answer("up", "--yes", "-s", "other.yaml", code=1)
        looked = grown.say("plan", "-s", "other.yaml")
    assert [each["code"] for each in refused["problems"]] == ["E5075"]
    assert looked.code == 0
    assert not (grown.folder / "note.txt").exists()
    # Without the engine the command does it itself.
    assert grown.answer("up", "--yes", "-s", "other.yaml")["phase"] == "completed"


SECRETS = """\
stack: grown
secrets: {token: {env: PLACE}, MORE}
providers:
  leaker: {source: ./terraform-provider-leaker, with: {token: "${ $secrets.token }"}}
resources:
  note: {type: file, with: {path: note.txt, content: '${ $secrets.token + " SIZE" }'}}
  thing: {type: leaker_thing, with: {name: grown, size: SIZE, key: "${ $secrets.KEY }"}}
"""


def test_secrets_that_are_declared_otherwise_while_an_engine_runs_are_those_of_the_plan(grown):
    def declare(place, size, key="token", more=""):
        text = SECRETS.replace("PLACE", place).replace("SIZE", str(size)).replace("KEY", key)
        grown.write(text.replace(", MORE", more))

    provide(grown, 1)
    declare("FIRST", 1)
    note = grown.folder / "note.txt"
    with serving(grown, FIRST="the first", SECOND="the second", THIRD="the third"):
        assert grown.answer("up", "--yes")["phase"] == "completed"
        assert note.read_text() == "the first 1"
        declare("SECOND", 2, "other", ", other: {env: THIRD}")
        assert grown.answer("up", "--yes")["phase"] == "completed"
        assert note.read_text() == "the second 2"
        declare("MISSING", 3)
        refused = grown.answer("up", "--yes", code=3)
        assert [each["code"] for each in refused["problems"]] == ["E6001"]
        assert "MISSING" in refused["problems"][0]["message"]
        # Whoever only asks for the impossible takes nothing from what went before.
        declare("SECOND", 3, "other", ", other: {env: THIRD}")
        assert grown.answer("up", "--yes")["phase"] == "completed"
    state = b"".join(each.read_bytes() for each in (grown.folder / ".dirigent").rglob("*") if each.is_file())
    assert [text for text in (b"the first", b"the second", b"the third") if text in state] == []
