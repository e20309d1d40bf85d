"""Checks at the command line: what the plan, the run and a later look tell of them, as text and as JSON."""

from __future__ import annotations

import pytest

from cli.test_json import valid

pytestmark = pytest.mark.slow

STACK = """stack: demo
inputs: {most: {type: integer, default: 100}}
resources:
  note:
    type: file
    with: {path: note.txt, content: '${ "most: \\($inputs.most)" }'}
    checks:
      before: [{that: '${ $inputs.most > 1 }', message: too few}]
      after:
        - {that: '${ $self.bytes < $inputs.most }', message: '${ "\\($self.bytes) bytes" }'}
        - {that: '${ $self.mode == "0600" }', message: everybody reads it, on-failure: warn}
checks:
  large: {that: '${ $resources.note.bytes > 1000 }', message: small}
"""


def held(answer):
    return [(each["owner"], each["when"], each["holds"]) for each in answer["checks"]]


def test_checks_are_told_of_by_the_plan_the_run_and_a_later_look(desk):
    desk.write(STACK)
    assert held(valid("plan", desk.answer("plan")))[0] == ("note", "before", True)
    applied = valid("up", desk.answer("up", "--yes"))
    found = [("note", "after", True), ("note", "after", False), ("large", "end", False)]
    assert held(applied) == found
    shown = valid("show", desk.answer("show", applied["run"]))
    assert held(shown) == found
    assert shown["checks"][1]["seen"] == {"$self.mode": "0644"}
    assert shown["checks"][2]["at"]["line"] == 13
    text = desk.say("show", applied["run"]).out
    assert "CHECKS  2 do not hold, 1 holds" in text
    assert "note (after): everybody reads it" in text
    again = valid("up", desk.answer("up", "--yes"))
    assert (again["run"], held(again["plan"])) == (None, [("note", "before", True), *found])


def test_a_plan_that_does_not_pass_is_refused_and_who_looks_is_not(desk):
    desk.write(STACK)
    desk.answer("up", "--yes")
    told = desk.say("plan", "-i", "most=1", "--json")
    problem = valid("problems", told.json)["problems"][0]
    assert (told.code, problem["code"], problem["label"]) == (2, "E2024", "$inputs.most = 1")
    assert valid("drift", desk.answer("drift", "-i", "most=1"))["drifted"] == []
    assert valid("down", desk.answer("down", "--yes"))["phase"] == "completed"
