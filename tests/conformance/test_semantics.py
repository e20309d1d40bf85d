"""What the standard says in prose, one document each: its border conditions, and where we rule ourselves.

A case is a title and YAML: a document without its head, `in` for the input, `events` that come, and what its
run on mocks comes to: `gives` for an output, `fails` for members of the error that ends it. The cases are in
semantics/.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conformance.stage import probe, program_of
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked
from dirigent.model import fault
from dirigent.model.fault import STANDARD, Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.model.values import SecretRef, SecretText
from dirigent.testing import FakeVault, Rule

CASES = {
    title: yaml.safe_load(written)
    for path in sorted(Path(__file__).parent.glob("semantics/*.yaml"))
    for title, _, written in (part.partition("\n") for part in f"\n{path.read_text()}".split("\n# ")[1:])
}
RAISE = 'raise: {error: {type: "https://e.example/x", status: 418}}'


def test_there_are_cases_enough():
    assert len(CASES) >= 70


@pytest.mark.parametrize("title", CASES)
def test_it_is_so_that(title):
    written = dict(CASES[title])
    given, gives, fails = written.pop("in", {}), written.pop("gives", None), written.pop("fails", None)
    events = written.pop("events", ())
    run = probe(yaml.safe_dump(written, sort_keys=False), given, events=events)
    if fails is None:
        assert run.phase == "completed", run.fault
        assert run.output == gives
        return
    assert run.phase == "faulted", run.output
    kind = fails["type"] if "://" in fails["type"] else STANDARD + fails["type"]
    expected = {**fails, "type": kind}
    assert {name: run.error.get(name) for name in expected} == expected


KINDS = [fault.CONFIGURATION, fault.VALIDATION, fault.EXPRESSION, fault.AUTHENTICATION, fault.AUTHORIZATION]
KINDS += [fault.TIMEOUT, fault.COMMUNICATION, fault.RUNTIME]
FORMS = [
    "https://serverlessworkflow.io/spec/1.0.0/errors/{}",
    "https://serverlessworkflow.io/dsl/errors/types/{}",
    "https://www.serverlessworkflow.io/spec/1.0.3/errors/{}/",
    "http://serverlessworkflow.io/errors/{}",
    "https://open-workflow-specification.org/spec/1.0.0/errors/{}",
    "https://open-workflow-specification.org/dsl/errors/types/{}",
]
CATCH = """
do:
  - t:
      try: [{a: {call: http, with: {method: get, endpoint: 'https://e.example/'}}}]
      catch: {errors: {with: {type: '%s'}}, do: [{c: {set: {caught: '${ $error.type }'}}}]}
"""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.removeprefix(STANDARD))
def test_a_standard_error_is_caught_by_every_published_form_of_its_type(kind, form):
    fails = Rule(answers=(Broken(Fault(kind, 500)),))
    run = probe(CATCH % form.format(kind.removeprefix(STANDARD)), {}, fails)
    assert run.output == {"caught": kind}


def test_another_type_is_not_caught_by_a_form_that_looks_like_it():
    fails = Rule(answers=(Broken(Fault(fault.TIMEOUT, 408)),))
    assert (
        probe(CATCH % "https://serverlessworkflow.io/spec/2.0.0/errors/timeout", {}, fails).phase == "faulted"
    )
    assert probe(CATCH % FORMS[0].format("Timeout"), {}, fails).phase == "faulted"


RETRY = """
do:
  - t:
      try: [{a: {call: http, with: {method: get, endpoint: 'https://e.example/'}}}]
      catch:
        as: e
        retry: {when: $e.status == 503, limit: {attempt: {count: %d}}}
        do: [{c: {set: "${ $e.status }"}}]
"""


@pytest.mark.parametrize(
    ("count", "statuses", "ended_with"),
    [(0, [503], 503), (3, [503, 404], 404), (2, [503, 503, 503, 503], 503)],
)
def test_a_retry_that_ends_hands_the_last_error_to_the_handler(count, statuses, ended_with):
    answers = [Broken(Fault(fault.COMMUNICATION, status)) for status in statuses]
    assert probe(RETRY % count, {}, Rule(answers=(*answers, Done("late")))).output == ended_with


SECRET = FakeVault({"token": "hunter22", "login": '{"username": "ann", "password": "hunter22"}'})
CALL = "use: {secrets: [token, login]}\ndo: [{a: {call: http, with: {method: get, endpoint: %s}}}]"


@pytest.mark.parametrize("text", ["$secrets.token", "$secret.token"])
def test_a_secret_is_carried_by_name(text):
    document = CALL % f"'https://e.example/', headers: {{x: '${{ {text} }}'}}"
    run = probe(document, {}, Rule(answers=(Done("hunter22"),)), vault=SECRET)
    request = next(fact.request for fact in run.facts if hasattr(fact, "request"))
    assert request["headers"] == {"x": SecretText((SecretRef("token"),))}
    assert run.output == "(secret token)"


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_an_authentication_may_be_a_secret_with_members(scheme):
    document = CALL % f"{{uri: 'https://e.example/', authentication: {{{scheme}: {{use: login}}}}}}"
    run = probe(document, vault=SECRET)
    assert run.phase == "completed", run.fault
    given = run.output["authentication"]
    assert given["username"] == SecretText((SecretRef("login.username"),))
    assert SECRET.reveal(given) == {
        "scheme": scheme,
        "username": "ann",
        "password": "hunter22",
        "token": None,
    }


@pytest.mark.parametrize(
    ("fragment", "code"),
    [
        ("set: {x: '${ $secrets.token }'}", "E1303"),
        ("set: {x: '${ $output }'}", "E1940"),
        ("if: $output == null, set: {x: 1}", "E1940"),
        ("input: {from: $output}, set: {x: 1}", "E1940"),
        ("set: {x: '${ $error }'}", "E1302"),
        ("set: {x: '${ $item }'}", "E1302"),
        ("set: {x: '${ $authorisation }'}", "E1302"),
        ("set: {x: '${ env }'}", "E1301"),
        ("set: {x: '${ $ENV.HOME }'}", "E1301"),
        ("set: {x: '${ input }'}", "E1301"),
    ],
)
def test_what_an_expression_cannot_see_is_refused_before_the_run(fragment, code):
    head = "document: {dsl: 1.0.3, namespace: tests, name: probe, version: 1.0.0}\n"
    program, problems = read_naked(f"{head}do: [{{a: {{{fragment}}}}}]", "probe.yaml", LANGUAGE)
    assert program is None
    assert [problem.code for problem in problems] == [code]


CHILD = program_of("do: [{c: {set: {got: '${ .a }'}}}]", "child")
FAILS = program_of(f"do: [{{c: {{{RAISE}}}}}]", "fails")


@pytest.mark.parametrize(
    ("run", "output"),
    [
        ("workflow: {namespace: tests, name: child, version: 1.0.0, input: {a: '${ .q }'}}", {"got": 3}),
        ("workflow: {namespace: tests, name: child}", {"got": None}),
        ("await: false, workflow: {namespace: tests, name: fails, version: 1.0.0}", {"q": 3}),
    ],
)
def test_a_workflow_may_run_another_one(run, output):
    assert probe(f"do: [{{r: {{run: {{{run}}}}}}}]", {"q": 3}, programs=(CHILD, FAILS)).output == output


def test_the_error_of_a_workflow_is_that_of_the_task_that_ran_it():
    run = probe("do: [{r: {run: {workflow: {namespace: tests, name: fails}}}}]", programs=(CHILD, FAILS))
    assert run.error == {"type": "https://e.example/x", "status": 418, "instance": "/do/0/r"}
