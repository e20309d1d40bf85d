"""Control and schedules in JSON, over workflows of documents and of Python: each answer fits its schema."""

import pytest

from cli.test_json import refused, valid

pytestmark = pytest.mark.slow

DOCUMENT = """\
document: {dsl: 1.0.3, namespace: small, name: ship, version: 1.0.0}
do:
  - pack: {set: {packed: true}}
  - label: {raise: {error: {type: "https://example.com/jam", status: 503, title: Jam}}}
  - done: {set: {label: '${ . }'}}
"""
FLOWS = """
from datetime import timedelta
from pathlib import Path

from dirigent import sleep, step, wait_event, workflow


@step
def pack(word: str) -> str:
    with Path("packed").open("a") as file:
        file.write(word)
    return word + "!"


@step
def label(word: str) -> str:
    return word + Path("label").read_text()


@workflow
async def ship(word: str) -> str:
    return await label(await pack(word))


@workflow
async def approved() -> str:
    return await wait_event("who", str)


@workflow
async def late(word: str) -> str:
    await sleep(timedelta(days=400))
    return word


@workflow
async def careless(word: str) -> str:
    done = await pack(word)
    if not Path("mended").exists():
        raise RuntimeError("a mistake in the text")
    return done
"""
TIMED = """\
stack: timed
schedules:
  coded: {cron: '0 0 * * *'}
workflows:
  coded: {python: 'flows.py:ship', input: {word: abc}}
  written:
    document: {dsl: 1.0.3, namespace: timed, name: written, version: 1.0.0}
    schedule: {every: {hours: 1}}
    do: [{answer: {set: {done: true}}}]
"""


@pytest.fixture
def coded(desk):
    (desk.folder / "flows.py").write_text(FLOWS)
    return desk


def waits(desk, run, *words):
    """Begin a run, and see to it that it comes to where it waits, however slow the machine is."""
    desk.say("run", *words, "--id", run, "--timeout", "0.5")

    def there():
        if "waiting" in desk.say("show", run).out:
            return True
        desk.say("resume", run, "--timeout", "0.5")
        return False

    desk.until(there)


def test_a_document_is_steered_in_json(small):
    (small.folder / "ship.yaml").write_text(DOCUMENT)
    assert valid("run", small.answer("run", "ship.yaml", "--id", "a", code=1))["phase"] == "faulted"
    assert valid("retry", small.answer("retry", "a", code=1))["fault"]["status"] == 503
    answer = valid("set-output", small.answer("set-output", "a", "label", "--value", "7"))
    assert (answer["phase"], answer["output"]) == ("completed", {"label": 7})
    small.answer("run", "ship.yaml", "--id", "b", code=1)
    assert valid("skip", small.answer("skip", "b", "label"))["output"] == {"label": {"packed": True}}
    again = valid("rerun", small.answer("rerun", "a", "--id", "c", code=1))
    assert (again["run"], again["phase"]) == ("c", "faulted")
    refused(small.say("retry", "nobody", "--json"), "E4004", 4)
    refused(small.say("rerun", "nobody", "--json"), "E4004", 4)


def test_a_workflow_in_python_is_steered_in_json(coded):
    coded.answer("run", "flows.py:ship", "-i", "word=a", "--id", "a", code=1)
    refused(coded.say("skip", "a", "label", "--json"), "E4184", 1)
    (coded.folder / "label").write_text(" to Ada")
    assert valid("retry", coded.answer("retry", "a"))["output"] == "a! to Ada"
    assert (coded.folder / "packed").read_text() == "a", "what was done is kept"
    refused(coded.say("retry", "a", "--json"), "E4170", 1)
    assert valid("rerun", coded.answer("rerun", "a"))["output"] == "a! to Ada"
    (coded.folder / "label").unlink()
    coded.answer("run", "flows.py:ship", "-i", "word=b", "--id", "b", code=1)
    given = valid("set-output", coded.answer("set-output", "b", "label", "--value", '"by hand"'))
    assert given["output"] == "by hand"


def test_a_mistake_in_the_text_of_a_workflow_is_mended_and_its_last_step_made_again(coded):
    coded.answer("run", "flows.py:careless", "-i", "word=a", "--id", "a", code=1)
    problem = refused(coded.say("retry", "a", "--json"), "E4172", 1)
    assert "--from pack" in problem["help"][1] or "--from /pack" in problem["help"][1]
    (coded.folder / "mended").touch()
    assert valid("retry", coded.answer("retry", "a", "--from", "pack"))["output"] == "a!"
    assert (coded.folder / "packed").read_text() == "aa"


def test_what_a_workflow_in_python_waits_for_is_given_by_hand_or_passed_over(coded):
    waits(coded, "a", "flows.py:approved")
    given = valid("set-output", coded.answer("set-output", "a", "event:who", "--value", '"ann"'))
    assert given["output"] == "ann"
    waits(coded, "b", "flows.py:approved")
    assert valid("signal", coded.answer("signal", "b", "who", "--data", '"bob"'))["event"] == "who"
    assert valid("resume", coded.answer("resume", "b"))["output"] == "bob"
    waits(coded, "c", "flows.py:late", "-i", "word=a")
    assert valid("skip", coded.answer("skip", "c", "sleep"))["output"] == "a"


def test_schedules_are_steered_in_json(coded):
    (coded.folder / "label").write_text(" to Ada")
    coded.write(TIMED)
    coded.answer("up", "--yes")
    listed = valid("schedule", coded.answer("schedule", "list"))["schedules"]
    assert [(each["name"], each["state"]) for each in listed] == [
        ("timed.coded", "active"),
        ("timed.written", "active"),
    ]
    ahead = valid("schedule", coded.answer("schedule", "next", "coded", "--count", "2"))["next"]
    assert [each["due"] % 86_400 for each in ahead] == [0, 0]
    paused = valid("schedule", coded.answer("schedule", "pause", "coded"))
    assert paused == {"name": "timed.coded", "state": "paused"}
    assert valid("schedule", coded.answer("schedule", "resume", "coded"))["state"] == "active"
    days = ("--from", "2026-01-01", "--to", "2026-01-02")
    filled = valid("schedule", coded.answer("schedule", "backfill", "coded", *days))["runs"]
    assert [each["started"] for each in filled] == [True, True]
    ends = [valid("resume", coded.answer("resume", each["run"])) for each in filled]
    assert [each["output"] for each in ends] == ["abc! to Ada"] * 2
    again = valid("schedule", coded.answer("schedule", "backfill", "coded", *days))["runs"]
    assert [(each["run"], each["started"]) for each in again] == [(each["run"], False) for each in filled]
    refused(coded.say("schedule", "pause", "nothing", "--json"), "E4180", 1)
    refused(
        coded.say("schedule", "backfill", "coded", "--from", "x", "--to", "2026-01-02", "--json"), "E4182", 1
    )
    assert valid("down", coded.answer("down", "--yes"))["plan"]["destroy"]
    assert valid("schedule", coded.answer("schedule", "list"))["schedules"] == []
