"""A test file that is wrong is refused in its place before anything runs."""

from __future__ import annotations

import jsonschema_rs
import pytest

from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.lang.trial import read_trials, trials_schema
from dirigent.model.problem import Refusal
from trials.stage import play

FLOW = "do: [{ask: {call: http, with: {method: get, endpoint: 'https://a.example/'}}}]"
TESTS = "workflow: flow.yaml\ntests: [{name: t, expect: {%s}%s}]"


def file_of(expect="", more=""):
    return TESTS % (expect, more)


def refused(folder, tests, workflow=FLOW):
    with pytest.raises(Refusal) as refusal:
        play(folder, tests, workflow)
    return [(problem.code, str(problem.at).rpartition("/")[2]) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("tests", "code", "place"),
    [
        ("tests: []", "E1202", "1:1"),
        ("# no test\nstack: s\nworkflows: {}", "E6014", "2:1"),
        ("document: {dsl: 1.0.3}\ndo: []", "E6014", "1:1"),
        (file_of("order: [ask]"), "E1208", "2:28"),
        (file_of("order: [ask, asks]"), "E7074", "2:41"),
        (file_of("outputSchema: {type: strong}"), "E6005", "2:28"),
        (file_of(more=", run: 'a b'"), "E1205", "2:36"),
        (file_of(more=", files: [x]"), "E1201", "2:31"),
        (file_of(more=", answers: [{real: 1}]"), "E1201", "2:48"),
        ("workflow: gone.py:flow\ntests: [{name: t, expect: {}}]", "E7070", "1:11"),
        ("workflow: flow.yaml\ntests: []", "E1208", "2:1"),
        ("workflow: flow.yaml\ntests: [{name: t}]", "E1202", "2:9"),
        ("workflow: flow.yaml\ntest: [{name: t, expect: {}}]", "E1203", "2:1"),
        (file_of("outptu: 1"), "E1203", "2:28"),
        (file_of("phase: done"), "E1206", "2:35"),
        (file_of("elapsed: soon"), "E7071", "2:37"),
        (file_of("elapsed: {most: 1}"), "E7071", "2:38"),
        (file_of("elapsed: {min: 1, most: 2}"), "E1203", "2:46"),
        (file_of("ran: {ask: twice}"), "E1201", "2:39"),
        (file_of("ran: [asks]"), "E7074", "2:34"),
        (file_of("notRan: [/do/1/ask]"), "E7074", "2:37"),
        (file_of("check: '.output |'"), "E7072", "2:35"),
        (file_of("check: $output"), "E7072", "2:35"),
        (file_of("error: {type: timeouts}"), "E7073", "2:42"),
        (file_of("error: {status: 42}"), "E1207", "2:44"),
        (file_of("requests: [{task: asked}]"), "E7074", "2:46"),
        (file_of(more=", answers: [{task: ask}]"), "E7073", "2:42"),
        (file_of(more=", answers: [{output: 1, error: {}}]"), "E7073", "2:53"),
        (file_of(more=", answers: [{output: 1, replies: [{output: 2}]}]"), "E7073", "2:42"),
        (file_of(more=", answers: [{replies: []}]"), "E1208", "2:42"),
        (file_of(more=", answers: [{output: 1, times: -1}]"), "E1207", "2:60"),
        (file_of(more=", answers: [{output: 1, doubt: maybe}]"), "E1206", "2:60"),
        (file_of(more=", answers: [{output: 1, after: P1M}]"), "E7071", "2:60"),
        (file_of(more=", happens: [{at: 1}]"), "E1209", "2:41"),
        (file_of(more=", happens: [{cancel: x}]"), "E1202", "2:41"),
        (file_of(more=", start: '2026-01-01'"), "E7071", "2:38"),
        (file_of(more=", start: noon"), "E7071", "2:38"),
        (file_of(more=", crash: always"), "E1206", "2:38"),
        (file_of(more="}, {name: t, expect: {}"), "E7075", "2:39"),
        ("workflow: gone.yaml\ntests: [{name: t, expect: {}}]", "E7070", "1:11"),
        ("workflow: stack.yaml#gone\ntests: [{name: t, expect: {}}]", "E7070", "1:11"),
        ("workflow: flow.yaml\nworkflows: [gone.yaml]\ntests: [{name: t, expect: {}}]", "E7070", "2:13"),
        ("workflow: [flow.yaml]\ntests: [{name: t, expect: {}}]", "E1201", "1:1"),
        ("workflow: flow.yaml\ntests: [{name: t, expect: {}}", "E1115", "2:8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, tests, code, place):
    found = refused(tmp_path, tests)
    assert found
    assert (code, f"flow.test.yaml:{place}") in found


def test_a_stack_names_its_workflows(tmp_path):
    (tmp_path / "stack.yaml").write_text("stack: s\nworkflows: {flow: {from: flow.yaml}}\n")
    tests = (
        "workflow: stack.yaml#%s\ntests: [{name: t, answers: [{task: ask, output: 1}], expect: {output: 1}}]"
    )
    assert play(tmp_path, tests % "flow", FLOW) == {"t": []}
    assert refused(tmp_path, tests % "flaw") == [("E7070", "flow.test.yaml:1:11")]


def test_a_workflow_may_stand_in_the_test_file_itself(tmp_path):
    inline = "{document: {dsl: 1.0.3, namespace: n, name: w, version: 1.0.0}, do: [{s: {set: {x: 1}}}]}"
    assert play(tmp_path, f"workflow: {inline}\ntests: [{{name: t, expect: {{output: {{x: 1}}}}}}]") == {
        "t": []
    }
    wrong = inline.replace("set", "sat")
    assert refused(tmp_path, f"workflow: {wrong}\ntests: [{{name: t, expect: {{}}}}]")[0][0] == "E1203"


def test_a_secret_that_no_test_gives_is_named_for_each_test(tmp_path):
    flow = f"use: {{secrets: [key]}}\n{FLOW}"
    tests = "workflow: flow.yaml\ntests: [{name: a, expect: {}}, {name: b, secrets: {key: k}, expect: {}}]"
    assert refused(tmp_path, tests, flow) == [("E7078", "flow.test.yaml:2:16")]


def test_what_a_workflow_gets_wrong_is_shown_in_the_workflow(tmp_path):
    found = refused(
        tmp_path, "workflow: flow.yaml\ntests: [{name: t, expect: {}}]", "do: [{ask: {cell: http}}]"
    )
    assert found[0] == ("E1203", "flow.yaml:2:13")


def test_the_schema_for_editors_takes_what_the_reader_takes():
    schema = jsonschema_rs.validator_for(trials_schema())
    for tests, right in (
        (
            file_of("output: {a: 1}, elapsed: {max: PT1S}, ran: {a: 1}", ", happens: [{at: 1, cancel: x}]"),
            True,
        ),
        (file_of("outptu: 1"), False),
        (file_of(more=", happens: [{at: 1}]"), False),
        ("workflow: x\ntests: []", False),
    ):
        suite, problems = read_trials(tests, "t.yaml", LANGUAGE)
        assert (suite is not None) == right, problems
        assert schema.is_valid(plain(load(tests, "t.yaml")[0])) == right, tests
