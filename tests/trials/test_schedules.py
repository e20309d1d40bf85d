"""Schedules in virtual time: when runs begin, also where clocks change, an engine is away, or one dies."""

from __future__ import annotations

import pytest

from dirigent.model.problem import Refusal
from dirigent.testing import MemoryStore
from trials.stage import HEAD, codes, play

FLOW = "schedule: {%s}\ndo: [{ask: {call: http, with: {method: get, endpoint: 'https://a.example/'}}}]"
BERLIN = """stack: s
workflows: {flow: {from: flow.yaml}}
schedules: {flow: {zone: Europe/Berlin, overlap: skip%s}}
"""
NIGHTS = "[2026-03-28T01:30:00Z, 2026-03-29T01:00:00Z, 2026-03-30T00:30:00Z]"


def file_of(expect, more="", workflow="flow.yaml", answer="{output: 1}"):
    return f"""
workflow: {workflow}
start: 2026-03-27T12:00:00Z
answers: [{{task: ask, replies: [{answer}]}}]
tests: [{{name: t, schedule: P3D, expect: {expect}{more}}}]
"""


@pytest.mark.parametrize(
    ("schedule", "expect", "found"),
    [
        ("every: PT6H", "{starts: 12, ran: {ask: 12}}", []),
        ("every: PT6H", "{starts: 11}", ["E6011"]),
        ("every: P1D", "{starts: [2026-03-28T12:00:00Z, 2026-03-29T12:00:00Z, 2026-03-30T12:00:00Z]}", []),
        ("every: P1D", "{starts: [2026-03-28T12:00:00Z, 2026-03-29T12:00:01Z]}", ["E6011"]),
        ("cron: '0 3 * * *'", "{starts: 3, check: '.starts[0].at == \"2026-03-28T03:00:00Z\"'}", []),
        ("after: P1D", "{starts: 4, requests: [{task: ask, times: 4}]}", []),
        ("every: P1D", "{phase: faulted}", ["E7080"]),
        ("every: P9D", "{starts: 0}", []),
        ("every: P9D", "{ran: [ask]}", ["E7083"]),
    ],
)
def test_a_schedule_starts_what_it_should(tmp_path, schedule, expect, found):
    assert codes(tmp_path, file_of(expect), FLOW % schedule) == found


@pytest.mark.slow
def test_all_nights_come_though_the_clocks_change_and_the_engine_dies_anywhere(tmp_path):
    (tmp_path / "stack.yaml").write_text(BERLIN % "")
    flow = FLOW % "cron: '30 2 * * *'"
    for crash in ("", ", crash: after-each-append", ", crash: before-each-append"):
        tests = file_of(f"{{starts: {NIGHTS}, ran: {{ask: 3}}}}", crash, "stack.yaml#flow")
        assert codes(tmp_path, tests, flow) == []


def test_a_schedule_that_forgets_its_times_is_found_by_a_crash(tmp_path, monkeypatch):
    """Control: the fault is planted in what survives a crash."""

    async def never(self, after, limit):
        return []

    monkeypatch.setattr(MemoryStore, "wakings", never)
    tests = file_of("{starts: 3}", ", crash: after-each-append")
    assert codes(tmp_path, tests, FLOW % "every: P1D")[0] == "E7089"


@pytest.mark.parametrize(
    ("misfire", "starts"),
    [
        ("none", "[2026-03-30T12:00:00Z]"),
        ("last", "[2026-03-29T12:00:00Z, 2026-03-30T12:00:00Z]"),
        ("all", "[2026-03-28T12:00:00Z, 2026-03-29T12:00:00Z, 2026-03-30T12:00:00Z]"),
    ],
)
def test_what_was_due_while_no_engine_ran_is_made_up_for_as_the_stack_says(tmp_path, misfire, starts):
    (tmp_path / "stack.yaml").write_text(BERLIN % f", misfire: {misfire}")
    tests = file_of(f"{{starts: {starts}}}", ", happens: [{at: PT1H, down: P2D}]", "stack.yaml#flow")
    assert codes(tmp_path, tests, FLOW % "every: P1D") == []


def test_a_run_that_lasts_keeps_the_next_from_beginning(tmp_path):
    (tmp_path / "stack.yaml").write_text(BERLIN % "")
    starts = "[2026-03-28T12:00:00Z, 2026-03-30T12:00:00Z]"
    tests = file_of(f"{{starts: {starts}}}", "", "stack.yaml#flow", "{output: 1, after: P1DT12H}")
    assert codes(tmp_path, tests, FLOW % "every: P1D") == []


def test_runs_that_end_in_different_ways_are_told_apart(tmp_path):
    one = "[2026-03-28T12:00:00Z, {at: 2026-03-29T12:00:00Z, phase: faulted}, 2026-03-30T12:00:00Z]"
    answer = "{output: 1}, {error: {status: 500}}, {output: 1}"
    assert codes(tmp_path, file_of(f"{{starts: {one}}}", answer=answer), FLOW % "every: P1D") == []
    (problem,) = play(tmp_path, file_of("{starts: 3}", answer=answer), FLOW % "every: P1D")["t"]
    assert problem.message == "the run of `2026-03-29T12:00:00Z` is `faulted`, not `completed`"


def test_a_paused_schedule_starts_nothing(tmp_path):
    happens = ", happens: [{at: PT1H, suspend: hands off}, {at: P2DT1H, resume: true}]"
    tests = file_of("{starts: [2026-03-30T12:00:00Z]}", happens)
    assert codes(tmp_path, tests, FLOW % "every: P1D") == []


def test_events_start_runs_also_of_a_time_at_which_nobody_is_there(tmp_path):
    paid = "{type: paid}"
    happens = f", happens: [{{at: PT1H, event: {paid}}}, {{at: PT2H, event: {{type: opened}}}}"
    happens += f", {{at: PT6H, down: PT12H}}, {{at: PT24H, event: {paid}}}]"
    tests = file_of("{starts: [2026-03-27T13:00:00Z, 2026-03-28T12:00:00Z]}", happens)
    assert codes(tmp_path, tests, FLOW % "on: {one: {with: {type: paid}}}") == []
    assert codes(tmp_path, tests, FLOW % "on: {all: [{with: {type: paid}}, {with: {type: opened}}]}") == [
        "E6011"
    ]


def test_an_engine_that_is_away_takes_a_run_up_when_it_comes_back(tmp_path):
    tests = "workflow: flow.yaml\ntests: [{name: t, happens: [{at: PT1H, down: P1D}], expect: {elapsed: %s}}]"
    assert codes(tmp_path, tests % "P1DT1H", "do: [{nap: {wait: PT2H}}]") == []
    assert codes(tmp_path, tests % "P2D", "do: [{nap: {wait: P2D}}]") == []


@pytest.mark.parametrize(
    ("test", "flow", "code"),
    [
        ("schedule: P1D, expect: {output: 1}", "every: P1D", "E6009"),
        ("schedule: P1D, expect: {elapsed: P1D}", "every: P1D", "E6009"),
        ("expect: {starts: 1}", "every: P1D", "E6009"),
        ("schedule: often, expect: {}", "every: P1D", "E7071"),
        ("schedule: P1D, expect: {starts: [noon]}", "every: P1D", "E7071"),
        ("schedule: P1D, expect: {starts: [{at: noon}]}", "every: P1D", "E7071"),
        ("schedule: P1D, expect: {starts: -1}", "every: P1D", "E1207"),
        ("schedule: P1D, expect: {}", "", "E6010"),
        ("happens: [{at: 1, down: long}], expect: {}", "every: P1D", "E7071"),
    ],
)
def test_what_is_no_test_of_a_schedule_is_refused(tmp_path, test, flow, code):
    (tmp_path / "flow.yaml").write_text(
        HEAD.replace("NAME", "flow") + (FLOW % flow).removeprefix("schedule: {}\n")
    )
    with pytest.raises(Refusal) as refusal:
        play(tmp_path, f"workflow: flow.yaml\ntests: [{{name: t, {test}}}]")
    assert code in [problem.code for problem in refusal.value.problems]
