"""Tests of workflows: what passes, what fails and how it is said, and that a crash changes nothing."""

from __future__ import annotations

import pytest

from dirigent.app.trials import show
from trials.stage import codes, play, write

CALL = "{call: http, with: {method: get, endpoint: 'https://a.example/'}}"
POST = "{call: http, with: {method: post, endpoint: 'https://a.example/x', body: {n: '${ .n }'}}}"
ONE = f"do: [{{ask: {CALL}}}]"


def one(expect, answers="[{task: ask, output: {a: [1, 2]}}]", more=""):
    return f"workflow: flow.yaml\ntests: [{{name: t, answers: {answers}, expect: {expect}{more}}}]"


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ("{phase: completed}", None),
        ("{output: {a: [1, 2]}}", None),
        ("{output: {a: [1, 2.0]}}", None),
        ("{output: {a: [1]}}", "E7081"),
        ("{output: {a: [true, 2]}}", "E7081"),
        ("{output: {}}", "E7081"),
        ("{outputContains: {}}", None),
        ("{outputContains: {a: [1, 3]}}", "E7081"),
        ("{phase: faulted}", "E7080"),
        ("{error: {status: 500}}", "E7080"),
        ("{ran: [ask]}", None),
        ("{ran: {ask: 1}}", None),
        ("{ran: {/do/0/ask: 2}}", "E7083"),
        ("{notRan: [ask]}", "E7083"),
        ("{requests: [{task: ask}]}", None),
        ("{requests: [{request: {method: get, endpoint: 'https://*'}}]}", None),
        ("{requests: [{call: shell}]}", "E7084"),
        ("{requests: [{task: ask, times: 2}]}", "E7084"),
        ("{requests: [{request: {method: PUT}, times: 0}]}", None),
        ("{elapsed: 0}", None),
        ("{elapsed: {min: PT1S}}", "E7085"),
        ("{elapsed: {max: PT1S}}", None),
        ("{check: '.output.a[0] == 1'}", None),
        ("{check: ['.requests[0].request.method == \"GET\"', '${ .tasks.ask == 1 }']}", None),
        ("{check: '.output.a[0] == 2'}", "E7086"),
        ("{check: '.order == [\"ask\"]'}", None),
        ("{outputSchema: {type: object, required: [a]}}", None),
        ("{outputSchema: {properties: {a: {items: {type: string}}}}}", "E7081"),
        ("{context: null}", None),
        ("{context: {a: 1}}", "E6007"),
        ("{contextContains: {a: 1}}", "E6007"),
        ("{check: '.output.a'}", "E7086"),
        ("{check: '.output.a.b'}", "E7086"),
        ("{check: '[.output.a[] | . * 2] | add == 6'}", None),
        ("{check: 'def f: .output.a | length; f == 2'}", None),
    ],
)
def test_an_expectation_holds_or_says_what_does_not(tmp_path, expect, code):
    assert codes(tmp_path, one(expect), ONE) == ([code] if code else [])


def test_a_difference_names_the_place_of_each(tmp_path):
    (problem,) = play(tmp_path, one("{output: {a: [1, 3], b: {c: x}}}"), ONE)["t"]
    assert problem.help[:2] == (".a[1]: 3 expected, but it is 2", '.b: {"c": "x"} is missing')
    assert (problem.at.line, problem.label) == (2, "differs")


def test_a_call_that_nobody_foresaw_fails_the_test_though_the_document_would_catch_it(tmp_path):
    flow = f"do: [{{t: {{try: [{{ask: {CALL}}}], catch: {{do: [{{c: {{set: {{x: 1}}}}}}]}}}}}}]"
    (problem,) = play(tmp_path, one("{phase: completed}", "[]"), flow)["t"]
    assert problem.code == "E7087"
    assert any("{task: ask, output: ...}" in line for line in problem.help)


def test_answers_follow_each_other_and_the_last_one_stays(tmp_path):
    flow = f"do: [{{l: {{for: {{in: '${{ [1, 2, 3] }}'}}, do: [{{ask: {CALL}}}], output: {{as: .}}}}}}]"
    answers = "[{task: ask, replies: [{output: one}, {output: last}]}]"
    assert codes(tmp_path, one("{output: last, ran: {ask: 3}}", answers), flow) == []


def test_an_answer_for_so_many_calls_serves_no_more_and_no_fewer(tmp_path):
    flow = f"do: [{{a: {CALL}}}, {{b: {CALL}}}]"
    first = "[{call: http, output: 1, times: 1}, {call: http, output: 2, times: 1}]"
    assert codes(tmp_path, one("{output: 2}", first), flow) == []
    assert codes(tmp_path, one("{output: 2}", "[{call: http, output: 2, times: 3}]"), flow) == ["E7088"]
    assert codes(tmp_path, one("{output: 2}", "[{call: http, output: 2, times: 1}]"), flow) == ["E7087"]


def test_an_answer_is_chosen_by_the_request_and_may_be_computed_from_it(tmp_path):
    answers = "[{request: {body: {n: 2}}, output: two}, {task: ask, compute: '.body.n + 1'}]"
    flow = f"do: [{{ask: {POST}}}]"
    assert codes(tmp_path, one("{output: 8}", answers, ", input: {n: 7}"), flow) == []
    assert codes(tmp_path, one("{output: two}", answers, ", input: {n: 2}"), flow) == []


def test_a_computed_answer_without_a_value_is_an_error_of_the_call(tmp_path):
    answers = "[{task: ask, compute: '.body.n | ltrimstr(1) | error(\"no\")'}]"
    assert codes(tmp_path, one("{error: {type: expression}}", answers), f"do: [{{ask: {POST}}}]") == []


def test_waits_retries_and_slow_calls_take_virtual_time_and_nothing_else_does(tmp_path):
    flow = f"""
do:
  - nap: {{wait: P3D}}
  - t: {{try: [{{ask: {CALL}}}], catch: {{retry: {{delay: PT10S, limit: {{attempt: {{count: 5}}}}}}}}}}
  - slow: {CALL}
"""
    answers = (
        "[{task: ask, replies: [{error: {status: 503}}, {output: 1}]}, {task: slow, output: 1, after: PT5S}]"
    )
    assert codes(tmp_path, one("{elapsed: P3DT15S}", answers), flow) == []


def test_a_time_out_beats_a_call_that_is_slower_and_no_other(tmp_path):
    flow = f"do: [{{ask: {CALL}}}]\ntimeout: {{after: PT10S}}"
    late = "[{task: ask, output: 1, after: PT11S}]"
    assert codes(tmp_path, one("{error: {type: timeout}, elapsed: PT10S}", late), flow) == []
    assert codes(tmp_path, one("{output: 1}", "[{task: ask, output: 1, after: PT9S}]"), flow) == []


def test_a_long_chain_of_calls_takes_no_time_beside_a_time_out(tmp_path):
    tasks = ", ".join(f"{{c{number}: {CALL}}}" for number in range(60))
    flow = f"do: [{tasks}]\ntimeout: {{after: PT1S}}"
    assert codes(tmp_path, one("{output: 1, elapsed: 0}", "[{call: http, output: 1}]"), flow) == []


def test_secrets_are_invented_reach_the_request_and_stay_out_of_the_output(tmp_path):
    flow = (
        "use: {secrets: [key]}\ndo: [{ask: {call: http, with: {method: get, endpoint: 'https://a.example/',"
    )
    flow += " headers: {x: '${ $secrets.key }'}}}}]"
    tests = one(
        "{output: 'I am (secret key)', requests: [{request: {headers: {x: sesame}}}]}",
        "[{task: ask, output: I am sesame}]",
        ", secrets: {key: sesame}",
    )
    assert codes(tmp_path, tests, flow) == []


def test_a_run_that_nobody_moves_any_more_has_not_ended(tmp_path):
    tests = one("{phase: suspended, elapsed: PT1H}", "[]", ", happens: [{at: PT1M, suspend: a while}]")
    flow = "do: [{nap: {wait: PT1H}}, {then: {set: {x: 1}}}]"
    assert codes(tmp_path, tests, flow) == []
    (problem,) = play(tmp_path, tests.replace("phase: suspended", "phase: completed"), flow)["t"]
    assert (problem.code, problem.message) == ("E7080", "the run is left `suspended`, not `completed`")


def test_what_somebody_does_happens_at_its_time(tmp_path):
    flow = "do: [{nap: {wait: PT1H}}]"
    cancelled = one("{phase: cancelled, elapsed: PT5M}", "[]", ", happens: [{at: PT5M, cancel: too late}]")
    assert codes(tmp_path, cancelled, flow) == []
    twice = "[{at: PT1M, suspend: a}, {at: PT2H, resume: true}]"
    assert codes(tmp_path, one("{output: {}, elapsed: PT2H}", "[]", f", happens: {twice}"), flow) == []


LISTEN = "do: [{hear: {listen: {to: {one: {with: {type: com.paid}}}}}}]"


def test_an_event_comes_at_its_time_and_once(tmp_path):
    events = "[{at: PT1M, event: {type: com.other}}, {at: PT2M, event: {type: com.paid, data: {n: 1}}}]"
    expect = "{output: [{n: 1}], elapsed: PT2M}"
    assert codes(tmp_path, one(expect, "[]", f", happens: {events}"), LISTEN) == []
    crash = f", happens: {events}, crash: after-each-append"
    assert codes(tmp_path, one(expect, "[]", crash), LISTEN) == []
    assert codes(tmp_path, one(expect, "[]", crash.replace("after", "before")), LISTEN) == []


def test_a_run_that_hears_nothing_is_left_waiting(tmp_path):
    tests = one("{phase: waiting}", "[]", ", happens: [{at: PT1M, event: {type: com.other}}]")
    assert codes(tmp_path, tests, LISTEN) == []


def test_what_is_emitted_can_be_expected(tmp_path):
    flow = "do: [{tell: {emit: {event: {with: {type: com.paid, source: /shop, data: {n: 1}}}}}}]"
    assert codes(tmp_path, one("{events: [{type: com.paid, data: {n: 1}}]}", "[]"), flow) == []
    (problem,) = play(tmp_path, one("{events: [{type: com.gone}]}", "[]"), flow)["t"]
    assert (problem.code, problem.label) == ("E7084", "expected")
    assert "emitted: {" in problem.help[0]
    assert codes(tmp_path, one("{check: '.events | length == 1'}", "[]"), flow) == []


def test_what_is_no_event_is_said(tmp_path):
    tests = one("{phase: waiting}", "[]", ", happens: [{at: 1, event: {typo: com.paid}}]")
    assert codes(tmp_path, tests, LISTEN) == ["E7079"]


def test_what_the_run_cannot_take_is_said(tmp_path):
    tests = one("{phase: completed}", "[]", ", happens: [{at: 1, resume: true}]")
    assert codes(tmp_path, tests, "do: [{nap: {wait: PT1H}}]") == ["E7079"]


def test_a_workflow_that_is_known_is_played_and_may_be_answered_instead(tmp_path):
    (tmp_path / "child.yaml").write_text(
        f"document: {{dsl: 1.0.3, namespace: tests, name: child, version: 1.0.0}}\ndo: [{{inner: {CALL}}}]"
    )
    flow = "do: [{r: {run: {workflow: {namespace: tests, name: child, version: 1.0.0}}}}]"
    tests = "workflows: [child.yaml]\n" + one("{output: 7, ran: [inner]}", "[{workflow: child, output: 7}]")
    assert codes(tmp_path, tests, flow) == []
    tests = "workflows: [child.yaml]\n" + one("{output: 8, notRan: [inner]}", "[{task: r, output: 8}]")
    assert codes(tmp_path, tests, flow) == []


RETRY = f"""
do:
  - nap: {{wait: PT1H}}
  - t: {{try: [{{ask: {POST}}}], catch: {{retry: {{delay: PT5S, limit: {{attempt: {{count: 3}}}}}}}}}}
  - last: {{set: {{got: '${{ . }}'}}}}
"""
REPLIES = "{task: ask, replies: [{error: {status: 503}}, {output: 1, after: PT2S}]%s}"


@pytest.mark.parametrize("crash", ["after-each-append", "before-each-append"])
def test_a_crash_at_any_place_changes_nothing(tmp_path, crash):
    expect = "{output: {got: 1}, elapsed: PT1H7S, ran: {ask: 2}, requests: [{task: ask, times: 2}]}"
    tests = one(expect, f"[{REPLIES % ', times: 2'}]", f", crash: {crash}")
    assert codes(tmp_path, tests, RETRY) == []


def test_a_world_that_does_it_again_is_found_by_a_crash(tmp_path):
    expect = "{requests: [{task: ask, times: 2}]}"
    tests = one(expect, f"[{REPLIES % ', doubt: repeat'}]", ", crash: before-each-append")
    assert codes(tmp_path, tests, RETRY) == ["E7089", "E7084"]


def test_a_world_that_cannot_say_leaves_the_run_held(tmp_path):
    tests = one("{output: {got: 1}}", f"[{REPLIES % ', doubt: unknown'}]", ", crash: after-each-append")
    problems = play(tmp_path, tests, RETRY)["t"]
    assert [problem.code for problem in problems] == ["E7089", "E7080"]
    assert problems[1].label == "`held`"


def test_an_engine_that_forgets_its_timers_is_found_by_a_crash(tmp_path, monkeypatch):
    """Control: the fault is planted in what survives a crash."""
    monkeypatch.setattr(show.MemoryStore, "wakings", _never)
    tests = one("{phase: completed}", "[]", ", crash: after-each-append")
    assert codes(tmp_path, tests, "do: [{nap: {wait: PT1H}}]") == ["E7089", "E7080"]


async def _never(self, after, limit):
    return []


def test_only_tests_with_a_text_in_their_names_are_played(tmp_path):
    tests = "workflow: flow.yaml\ntests: [{name: One, expect: {}}, {name: two, expect: {phase: faulted}}]"
    flow = "do: [{s: {set: {x: 1}}}]"
    assert list(play(tmp_path, tests, flow, "one")) == ["One"]


def test_the_start_of_the_run_may_be_chosen(tmp_path):
    flow = "do: [{s: {set: '${ $workflow.startedAt.iso8601 }'}}]"
    tests = one("{output: '2026-03-29T00:30:00.000Z'}", "[]", ", start: '2026-03-29T01:30:00+01:00'")
    assert codes(tmp_path, tests, flow) == []


def test_a_run_that_never_ends_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(show.limits, "TRIAL_FACTS", 200)
    flow = f"do: [{{ask: {CALL}}}, {{nap: {{wait: PT1M, then: ask}}}}]"
    (problem,) = play(tmp_path, one("{phase: completed}", "[{task: ask, output: 1}]"), flow)["t"]
    assert (problem.code, problem.label) == ("E7080", "`running`")
    assert problem.help == ("it recorded 200 facts and went on: does it ever end?",)


def test_the_order_of_tasks_is_looked_at_in_each_workflow(tmp_path):
    fork = "{fork: {branches: [{b: {wait: PT2S}}, {c: {wait: PT1S}}]}}"
    flow = f"do: [{{a: {{set: {{x: 1}}}}}}, {{f: {fork}}}, {{d: {{set: {{y: 1}}}}}}]"
    for order, found in (
        ("[a, b, c, d]", []),
        ("[a, d]", []),
        ("['/do/0/a', 'f', 'd']", []),
        ("[d, a]", ["E6006"]),
        ("[a, a]", ["E6006"]),
    ):
        assert codes(tmp_path, one(f"{{order: {order}}}", "[]"), flow) == found
    (problem,) = play(tmp_path, one("{order: [a, d, b]}", "[]"), flow)["t"]
    assert problem.message == "`b` does not begin after `d`"
    assert problem.help == ("they began so: a, f, b, c, d",)


def test_the_context_of_the_end_can_be_expected(tmp_path):
    flow = f"do: [{{ask: {CALL[:-1]}, export: {{as: '${{ {{seen: .a, more: true}} }}'}}}}}}]"
    for expect, found in (
        ("{context: {seen: [1, 2], more: true}}", []),
        ("{context: {seen: [1, 2]}}", ["E6007"]),
        ("{contextContains: {seen: [1, 2]}}", []),
        ("{contextContains: {seen: [1]}}", ["E6007"]),
        ("{check: '.context.more'}", []),
    ):
        assert codes(tmp_path, one(expect), flow) == found


def test_the_id_of_the_run_and_the_metadata_may_be_chosen(tmp_path):
    flow = "do: [{s: {set: {id: '${ $workflow.id }', host: '${ $runtime.metadata.resources.db.host }'}}}]"
    more = ", run: order-7, metadata: {resources: {db: {host: h}}}"
    assert codes(tmp_path, one("{output: {id: order-7, host: h}}", "[]", more), flow) == []


ELSEWHERE = (
    "use: {catalogs: {local: {endpoint: '%s'}}}\ndo: [{f: {call: 'greet:1.0.0@local', with: {name: x}}}]"
)
GREET = "set: {greeting: '${ \"hello \" + .name }'}\n"
HELLO = "{output: {greeting: hello x}}"


@pytest.mark.parametrize("place", ["tests", "flows", "elsewhere"])
def test_files_are_found_from_the_workflow_and_from_the_test(tmp_path, monkeypatch, place):
    for folder in ("tests", "flows", "elsewhere"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    catalog = tmp_path / place / "catalog" / "functions" / "greet" / "1.0.0"
    catalog.mkdir(parents=True)
    (catalog / "function.yaml").write_text(GREET)
    write(tmp_path / "flows", "", ELSEWHERE % "file:catalog")
    tests = f"workflow: ../flows/flow.yaml\ntests: [{{name: t, expect: {HELLO}}}]"
    # What lies only where somebody happens to stand is not found.
    assert codes(tmp_path / "tests", tests) == (["E2045"] if place == "elsewhere" else [])


def test_what_lies_behind_a_url_is_never_fetched(tmp_path):
    flow = ELSEWHERE % "https://c.example"
    (problem,) = play(tmp_path, one(HELLO, "[]"), flow)["t"]
    uri = "https://c.example/functions/greet/1.0.0/function.yaml"
    assert (problem.code, problem.message.partition(",")[0]) == ("E6003", f"the workflow needs `{uri}`")
    given = f", files: {{'{uri}': 'set: {{greeting: hello x}}'}}"
    assert codes(tmp_path, one(HELLO, "[]", given), flow) == []


def test_a_child_that_crashed_before_it_was_known_is_still_named(tmp_path):
    (tmp_path / "child.yaml").write_text(
        f"document: {{dsl: 1.0.3, namespace: tests, name: child, version: 1.0.0}}\ndo: [{{inner: {CALL}}}]"
    )
    flow = "do: [{r: {run: {workflow: {namespace: tests, name: child, version: 1.0.0}}}}]"
    expect = "{requests: [{workflow: child, task: inner, times: 1}], ran: {inner: 1, r: 1}}"
    tests = one(expect, "[{workflow: child, output: 7}]", ", crash: after-each-append")
    assert codes(tmp_path, "workflows: [child.yaml]\n" + tests, flow) == []
