"""Scenarios that the kit of the standard lacks, in its language, and the sentences that they add to it.

They are in open-workflow/, written so that they could be offered upstream: they name hosts under `.example`,
which a runner serves itself, and times that a runner may let pass faster.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from conformance import test_kit
from conformance.gherkin import scenarios_of
from conformance.kit import DEFINITION, INPUT
from conformance.theatre import Script, Servers, outcomes
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked
from dirigent.model.duration import seconds_of
from dirigent.model.fault import canonical
from dirigent.testing.trial.comparing import contains

FOLDER = Path(__file__).with_name("open-workflow")
SCENARIOS = [
    scenario
    for path in sorted(FOLDER.glob("*.feature"))
    for scenario in scenarios_of(path.stem, path.read_text())
]
AREAS = {"wait", "listen", "run", "retry", "timeout", "schema", "export", "schedule", "secret"}
AREAS |= {"sub-workflow", "authentication", "durability"}


# What the world is: each sentence changes the script, or the servers.


def input_is(script, servers, text):
    script.given = yaml.safe_load(text)


def deployed(script, servers, text):
    script.others.append(text)


def secret_is(script, servers, text, name):
    value = yaml.safe_load(text)
    script.secrets[name] = value if isinstance(value, str) else json.dumps(value)


def answers(script, servers, text, call):
    servers.answers[call] = yaml.safe_load(text)


def told(script, servers, text, what, after):
    script.happenings.append((seconds_of(after), what))


def published(script, servers, text, after):
    script.happenings.append((seconds_of(after), yaml.safe_load(text)))


def executed(script, servers, text):
    """There is nothing to prepare."""


def restarted(script, servers, text):
    script.restarts = True


def deployed_for(script, servers, text, duration, restarting):
    script.deployed, script.restarts = seconds_of(duration), bool(restarting)


PREPARING = {
    re.escape(INPUT): input_is,
    r"another workflow is deployed:": deployed,
    r"the secret '(\w+)' is:": secret_is,
    r"'([A-Z]+ \S+)' answers in turn:": answers,
    r"the workflow is (cancelled|suspended|resumed) after '(\w+)'": told,
    r"the event is published after '(\w+)':": published,
    r"the workflow is executed": executed,
    r"the workflow is executed, and the runtime is restarted at every step": restarted,
    r"the workflow is deployed for '(\w+)'(, and the runtime is restarted at every step)?": deployed_for,
}


# What is expected, beside the sentences of the kit.


def cancelled(run, _text):
    assert run.phase == "cancelled", run


def still_waiting(run, _text):
    assert run.phase == "waiting", run


def error_has(run, text):
    assert run.error is not None, run
    wanted = yaml.safe_load(text)
    found = {**run.error, "type": canonical(run.error["type"])}
    assert {name: found.get(name) for name in wanted} == wanted


def takes(run, _text, duration):
    assert run.seconds == pytest.approx(seconds_of(duration), abs=1e-6)


def runs_times(run, _text, task, count):
    assert run.ran[task] == int(count), run.ran


def runs_not(run, _text, task):
    assert run.ran[task] == 0, run.ran


def called_times(run, _text, call, count):
    assert [seen for seen, _ in run.calls].count(call) == int(count), run.calls


def called_with(run, text, call):
    wanted = yaml.safe_load(text)
    assert any(seen == call and contains(wanted, request) for seen, request in run.calls), run.calls


def contains_not(run, _text, part):
    assert part not in json.dumps(run.output), run.output


def started_times(run, _text, count):
    assert len(run.inputs) == int(count), run.inputs


def started_with(run, text):
    wanted = yaml.safe_load(text)
    assert len(run.inputs) == len(wanted), run.inputs
    assert all(map(contains, wanted, run.inputs)), run.inputs


EXPECTING = {
    **test_kit.SENTENCES,
    r"the workflow should be cancelled": cancelled,
    r"the workflow should still be waiting": still_waiting,
    r"the error should have properties:": error_has,
    r"the workflow should take '([\w.]+)'": takes,
    r"(\w+) should run (\d+) times": runs_times,
    r"(\w+) should not run": runs_not,
    r"'([A-Z]+ \S+)' should be called (\d+) times": called_times,
    r"'([A-Z]+ \S+)' should be called with:": called_with,
    r"the workflow output should not contain '([^']+)'": contains_not,
    r"the workflow should have started (\d+) times": started_times,
    r"the workflow should have started, in this order, with the inputs:": started_with,
}
REFUSED = ("the definition is read", "the definition should be refused")


def meaning_of(sentence, table):
    """Return what a sentence of a table means, with its parts; None when it has no meaning there."""
    found = [
        (act, match.groups()) for phrase, act in table.items() if (match := re.fullmatch(phrase, sentence))
    ]
    assert len(found) <= 1, f"`{sentence}` has {len(found)} meanings"
    return found[0] if found else None


def scripted(scenario, servers):
    """Return the script of a scenario, and its checks in order."""
    script, checks = Script(scenario.text_of(DEFINITION)), []
    for step in scenario.steps:
        if step.sentence == DEFINITION:
            continue
        if preparing := meaning_of(step.sentence, PREPARING):
            act, parts = preparing
            act(script, servers, step.text, *parts)
        else:
            check, parts = meaning_of(step.sentence, EXPECTING)
            checks.append((check, step.text, parts))
    return script, checks


def hold(run, checks):
    """Judge an outcome."""
    for check, text, parts in checks:
        check(run, text, *parts)


@pytest.fixture(scope="module")
def servers():
    servers = Servers()
    yield servers
    servers.close()


def is_refused(scenario):
    return any(step.sentence == REFUSED[1] for step in scenario.steps)


RUNNING = [scenario for scenario in SCENARIOS if not is_refused(scenario)]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", RUNNING, ids=lambda scenario: scenario.name)
def test_a_scenario_of_ours_passes(scenario, servers, tmp_path):
    servers.answers.clear()
    script, checks = scripted(scenario, servers)
    assert checks
    for run in outcomes(script, servers, tmp_path):
        hold(run, checks)


@pytest.mark.parametrize(
    "scenario", [each for each in SCENARIOS if is_refused(each)], ids=lambda each: each.name
)
def test_a_definition_that_is_wrong_is_refused(scenario):
    program, problems = read_naked(scenario.text_of(DEFINITION), "scenario.yaml", LANGUAGE)
    assert program is None
    assert problems


def test_every_sentence_has_exactly_one_meaning():
    known = {**PREPARING, **EXPECTING}
    for scenario in SCENARIOS:
        for step in scenario.steps:
            if step.sentence not in (DEFINITION, *REFUSED):
                assert any(re.fullmatch(phrase, step.sentence) for phrase in known), step.sentence


def test_names_are_told_apart_and_no_area_is_missing():
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names))
    assert {scenario.feature for scenario in SCENARIOS} == AREAS


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("wait-wait-duration-object", ("PT2.5S", "PT2S")),
        ("retry-retry-with-constant-delay", ("3 times", "4 times")),
        ("secret-secret-in-request", ("X-Key: sesame", "X-Key: open")),
        ("timeout-workflow-timeout", ("third should not run", "third should run 1 times")),
        ("durability-restart-in-a-loop", ("add should run 3 times", "add should run 2 times")),
        ("schedule-every", ("started 6 times", "started 7 times")),
        ("schedule-on-events-of-one-order", ("- id: '3'", "- id: '4'")),
    ],
)
def test_a_scenario_that_expects_something_else_fails(name, change, servers, tmp_path):
    text = (FOLDER / f"{name.partition('-')[0]}.feature").read_text()
    for scenario in scenarios_of(name.partition("-")[0], text.replace(*change)):
        if scenario.name == name:
            servers.answers.clear()
            script, checks = scripted(scenario, servers)
            run = next(iter(outcomes(script, servers, tmp_path)))
            with pytest.raises(AssertionError):
                hold(run, checks)
            return
    raise AssertionError(f"there is no {name}")
