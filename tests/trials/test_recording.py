"""A run that has ended becomes a test file, and the test passes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conformance.stage import RUN, SCRIPTED, Cast, played, program_of
from dirigent.app.trials.recording import recording
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.model import fault
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import Created
from dirigent.testing import FakeVault, MemoryStore, Rule, ScriptedPerformer, VirtualClock
from trials.stage import play

CALL = "{call: http, with: {method: post, endpoint: 'https://a.example/', headers: {x: '${ $secrets.key }'}}}"
FLOW = f"""use: {{secrets: [key]}}
do:
  - nap: {{wait: PT1M}}
  - each:
      for: {{in: '${{ [1, 2] }}'}}
      do: [{{ask: {CALL}}}]
  - t:
      try: [{{pay: {CALL}}}]
      catch: {{retry: {{delay: PT5S, limit: {{attempt: {{count: 3}}}}}}}}
  - race:
      fork:
        compete: true
        branches: [{{quick: {{wait: PT1S}}}}, {{slow: {CALL}}}]
  - last: {{set: {{n: 9007199254740993, text: "a \\"quoted\\" 1e3 é", before: '${{ . }}'}}}}
"""
AWAY = Broken(Fault(fault.COMMUNICATION, 503, "Away"))


def run_of(*rules, flow=FLOW, given=None):
    clock = VirtualClock()
    scripted = ScriptedPerformer(*rules, clock=clock)
    cast = Cast(dict.fromkeys(SCRIPTED, scripted), clock, FakeVault({"key": "sesame"}))
    return asyncio.run(played(MemoryStore(), cast, program_of(flow, "flow"), given))


def text_of(folder, program, facts, run=RUN):
    made = recording(run, program, facts, folder / "stack.yaml", folder / "flow.test.yaml")
    assert made.problems == ()
    return made.text


def test_a_recorded_run_passes_as_a_test(tmp_path):
    run = run_of(
        Rule(position="*ask", answers=(Done({"a": "sesame"}),), seconds=2),
        Rule(position="*pay", answers=(AWAY, AWAY, Done("1e3"))),
        Rule(position="*slow", answers=(Done(1),), seconds=60),
        given={"q": [1, "x"]},
    )
    assert run.phase == "completed", run.fault
    text = text_of(tmp_path, run.program, run.facts)
    (name, problems), *others = play(tmp_path, text, FLOW).items()
    assert (name, problems, others) == ("as in run run-1", [], [])
    assert "sesame" not in text, "a secret is not in the journal, and so not in the test"
    assert plain(load(text, "t.yaml")[0])["tests"][0]["expect"]["output"]["n"] == 9007199254740993


def test_a_run_that_failed_fails_in_the_test_too(tmp_path):
    run = run_of(Rule(position="*pay", answers=(AWAY,)))
    assert run.phase == "faulted"
    text = text_of(tmp_path, run.program, run.facts)
    assert play(tmp_path, text, FLOW) == {"as in run run-1": []}
    other = text.replace('"status": 503, "title": "Away", "instance"', '"status": 504, "instance"')
    assert other != text
    ((problem,),) = play(tmp_path, other, FLOW).values()
    assert problem.code == "E7082"


def test_a_workflow_without_a_file_of_its_own_stands_in_the_test(tmp_path):
    run = run_of(flow="do: [{s: {set: {x: 1}}}]")
    stack = "stack: s\nworkflows: {}\n"
    program = program_of("do: [{s: {set: {x: 1}}}]", "flow")
    program = replace(program, sources={"s.yaml": stack})
    assert play(tmp_path, text_of(tmp_path, program, run.facts)) == {"as in run run-1": []}


@pytest.mark.parametrize("change", ["open", "large", "apply"])
def test_what_cannot_become_a_test_is_refused(tmp_path, change):
    run = run_of(flow="do: [{s: {set: {x: 1}}}]")
    program, facts = run.program, list(run.facts)
    if change == "open":
        facts.pop()
    elif change == "large":
        first = facts[0]
        large = {"$payload": {"sha256": "0", "bytes": 1, "form": "text", "preview": ""}}
        facts[0] = Created(first.at, first.definition, {"x": [large]})
    else:
        program = replace(program, kind="apply")
    with pytest.raises(Refusal) as refusal:
        text_of(tmp_path, program, facts, RunId("r"))
    assert [problem.code for problem in refusal.value.problems] == ["E7077"]
