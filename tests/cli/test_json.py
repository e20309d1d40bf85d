"""With `--json` a command answers one document that its published schema accepts, and nothing else."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from cli.rig import ROOT, Desk
from dirigent.cli import schemas
from dirigent.cli.main import COMMANDS

pytestmark = pytest.mark.slow


def valid(name, answer):
    violation = next(iter(jsonschema_rs.validator_for(schemas.schema_of(name)).iter_errors(answer)), None)
    assert violation is None, f"{name}: {violation}\n{json.dumps(answer, indent=1)}"
    return answer


def refused(told, code, exit_code):
    assert told.code == exit_code, told
    found = valid("problems", told.json)["problems"]
    assert [each["code"] for each in found] == [code]
    return found[0]


def test_every_command_has_a_published_schema(small):
    assert set(COMMANDS) <= set(schemas.NAMES)
    for name in ("problems", "plan"):
        assert small.answer("schema", "--of", name) == schemas.schema_of(name)
    valid("schema", small.answer("schema"))


def test_a_life_of_a_stack_in_json(small):
    assert valid("check", small.answer("check"))["problems"] == []
    planned = valid("plan", small.answer("plan"))
    assert [change["action"] for change in planned["changes"]] == ["create", "create"]
    applied = valid("up", small.answer("up", planned["id"], "--yes"))
    assert applied["outputs"] == {"path": str(small.folder / "site/note.txt")}
    assert valid("up", small.answer("up"))["run"] is None
    assert valid("drift", small.answer("drift"))["drifted"] == []
    assert len(valid("state", small.answer("state", "list"))["resources"]) == 2
    assert valid("state", small.answer("state", "show", "note"))["resource"]["needs"] == ["site"]
    assert valid("state", small.answer("state", "history", "note"))["revisions"][0]["what"] == "created"
    ran = valid("run", small.answer("run", "quick", "--input", "name=Ada"))
    assert ran["output"] == {"text": "hello, Ada"}
    assert valid("resume", small.answer("resume", ran["run"]))["output"] == ran["output"]
    failed = valid("run", small.answer("run", "broken", code=1))
    assert failed["fault"]["status"] == 418
    assert valid("queues", small.answer("queues"))["queues"] == []
    listed = valid("ps", small.answer("ps", "--all"))
    assert [run["phase"] for run in listed["runs"]] == ["faulted", "completed", "completed"]
    assert valid("show", small.answer("show", failed["run"]))["phase"] == "faulted"
    facts = [
        valid("events", json.loads(line)) for line in small.say("events", "quick", "--json").out.splitlines()
    ]
    assert facts[0]["fact"] == "Created"
    assert valid("down", small.answer("down", "--yes"))["phase"] == "completed"


def test_doctor_version_and_init_in_json(desk):
    valid("doctor", desk.answer("doctor"))
    valid("version", desk.answer("version"))
    assert len(valid("init", desk.answer("init"))["files"]) == 3


def test_cancel_and_suspend_in_json(small):
    process = small.running("run", "slow", "--id", "nap")
    assert valid("suspend", small.answer("suspend", "nap"))["phase"] == "suspended"
    process.communicate()
    assert valid("cancel", small.answer("cancel", "nap"))["phase"] == "cancelled"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "doctor"])
def test_a_command_line_that_nobody_understands_is_refused_in_json(desk, name):
    refused(desk.say(name, "--nonsense", "--json"), "E7006", 2)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("plan", "ffff"), "E2041", 4),
        (("up", "ffff"), "E2041", 4),
        (("up",), "E7005", 2),
        (("show", "nobody"), "E4004", 4),
        (("events", "nobody"), "E4004", 4),
        (("cancel", "nobody"), "E4004", 4),
        (("suspend", "nobody"), "E4004", 4),
        (("resume",), "E4004", 4),
        (("logs", "nobody"), "E4014", 4),
        (("run", "nobody"), "E4010", 4),
        (("run", "quick", "--input-file", "nothing.yaml"), "E7001", 2),
        (("run", "quick", "--input", "x"), "E7006", 2),
        (("check", "nothing.yaml"), "E7001", 2),
        (("init",), "E7003", 2),
        (("init", "stack.yaml/below"), "E7008", 2),
        (("init", "/proc/here"), "E7008", 2),
        (("init", "here", "--name", "My Shop"), "E7009", 2),
        (("up", "ffff", "-i", "greeting=x"), "E7007", 2),
        (("run", "quick", "--timeout", "-1"), "E7006", 2),
        (("ps", "--limit", "none"), "E7006", 2),
    ],
    ids=str,
)
def test_a_refusal_is_a_problem_in_json(small, words, code, exit_code):
    refused(small.say(*words, "--json"), code, exit_code)


def test_every_problem_of_a_document_is_in_the_json(desk):
    desk.write((ROOT / "tests/lang/malformed/90-five-independent-errors.yaml").read_text())
    told = desk.say("check", "--json")
    assert told.code == 2
    assert len(valid("problems", told.json)["problems"]) == 5
    assert told.err == ""


def test_warnings_do_not_mix_with_the_answer(desk):
    assert Desk(desk.folder).write().say("plan", "--json").err == ""
