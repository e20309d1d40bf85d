import asyncio
import json
import os
import signal
import time
import uuid
from pathlib import Path

import pytest

from dirigent.model import fault
from dirigent.model.ids import EffectId, Position, RunId
from dirigent.model.problem import refuse
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt, Order
from dirigent.model.values import SecretRef, SecretText
from dirigent.shim import attach, files, pulse
from dirigent.shim.attach import State
from dirigent.tasks.process import ShellPerformer, Surroundings

TOKEN = SecretText((SecretRef("token"),))


class Safe:
    """A vault with one secret."""

    def reveal(self, value):
        match value:
            case SecretText(parts):
                return "".join(p if isinstance(p, str) else self.look_up(p.name) for p in parts)
            case dict():
                return {key: self.reveal(inner) for key, inner in value.items()}
            case list():
                return [self.reveal(inner) for inner in value]
        return value

    def look_up(self, name):
        if name != "token":
            raise refuse("E6001", f"secret `{name}` is not set")
        return "s3cr3t-value"

    def redact(self, value):
        return json.loads(json.dumps(value).replace("s3cr3t-value", "(secret token)"))


@pytest.fixture
def around(tmp_path):
    return Surroundings(str(tmp_path / "spool"), str(tmp_path), {"PATH": os.environ["PATH"]}, 1.0)


@pytest.fixture
def identity():
    value = uuid.uuid4().hex
    yield value
    deadline = time.monotonic() + 30.0
    while (left := pulse.bearing(attach.MARK, value)) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in left:
        os.kill(pid, 9)
    assert not left, f"processes {left} outlived the test"


@pytest.fixture
def shell(around, identity):
    return Desk(ShellPerformer(around, Safe()), around, identity, "shell")


class Desk:
    """Gives orders to a performer."""

    def __init__(self, performer, around, identity, function):
        self.performer, self.around, self.identity, self.function = performer, around, identity, function

    def order(self, request, **changes):
        order = {"on_doubt": OnDoubt.HOLD, "attempt": 1, **changes}
        return Order(
            run=RunId("r"),
            position=Position("/do/0/x"),
            id=EffectId(self.identity),
            function=self.function,
            request=request,
            **order,
        )

    def perform(self, request, **changes):
        return asyncio.run(self.performer.perform(self.order(request, **changes)))

    def spool(self, attempt=1):
        return str(Path(self.around.spool, f"{self.identity}-{attempt}"))


async def until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_standard_output_is_the_result_as_it_is(shell):
    assert shell.perform({"command": "echo hello"}) == Done("hello\n")


@pytest.mark.parametrize(
    ("returned", "output"),
    [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("code", 0),
        ("none", None),
        ("all", {"stdout": "out\n", "stderr": "err\n", "code": 0}),
    ],
)
def test_each_return_gives_its_part(shell, returned, output):
    assert shell.perform({"command": "echo out; echo err >&2", "return": returned}) == Done(output)


@pytest.mark.parametrize("returned", ["stdout", "stderr", "none"])
def test_a_failed_command_is_a_fault_with_the_end_of_its_complaints(shell, returned):
    outcome = shell.perform({"command": "echo broken pipe dream >&2; exit 3", "return": returned})
    assert isinstance(outcome, Broken)
    assert (outcome.fault.type, outcome.fault.status) == (fault.RUNTIME, 500)
    assert outcome.fault.detail == "exit code 3: broken pipe dream"


def test_a_failed_command_is_a_result_where_its_code_is_asked_for(shell):
    assert shell.perform({"command": "exit 3", "return": "code"}) == Done(3)
    again = shell.perform({"command": "echo x; exit 4", "return": "all"}, attempt=2)
    assert again == Done({"stdout": "x\n", "stderr": "", "code": 4})


def test_death_by_a_signal_has_the_code_of_the_shells(shell):
    assert shell.perform({"command": "kill -9 $$", "return": "code"}) == Done(137)
    outcome = shell.perform({"command": "kill -9 $$"}, attempt=2)
    assert outcome.fault.detail == "killed by signal 9"


@pytest.mark.parametrize(
    ("command", "arguments", "output"),
    [
        ("printf '%s|'", ["a b", "$(id)", "; rm -rf /", "'"], "a b|$(id)|; rm -rf /|'|"),
        ("printf '%s|'\n", ["a"], "a|"),
        ('echo "$2-$1"', ["a", "b"], "b-a\n"),
        ("echo ${1}x", ["a"], "ax\n"),
        ('for x in "$@"; do echo "<$x>"; done', ["a", "b c"], "<a>\n<b c>\n"),
        ("printf '%s|'", [1, 2.5, True], "1|2.5|true|"),
        ("printf '%s|'", {"--name": "a b", "-v": None}, "--name|a b|-v|"),
        ("echo", [], "\n"),
    ],
)
def test_arguments_are_never_read_as_part_of_the_command(shell, command, arguments, output):
    assert shell.perform({"command": command, "arguments": arguments}) == Done(output)


def test_environment_and_input_reach_the_command(shell):
    request = {
        "command": 'cat; echo "$LEVEL $COUNT"',
        "environment": {"LEVEL": "hoch", "COUNT": 3},
        "stdin": "in ",
    }
    assert shell.perform(request) == Done("in hoch 3\n")


def test_a_secret_reaches_the_command_and_comes_back_as_its_name(shell):
    request = {
        "command": 'test ${#KEY} = 16 && cat && echo "$KEY" >&2',
        "environment": {"KEY": SecretText(("key-", SecretRef("token")))},
        "stdin": TOKEN,
        "return": "all",
    }
    outcome = shell.perform(request)
    assert outcome.output == {"stdout": "(secret token)", "stderr": "key-(secret token)\n", "code": 0}
    order = Path(shell.spool(), "order.json").read_text()
    assert "s3cr3t" not in order


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"command": "x", "arguments": ["a", TOKEN]}, "`arguments[1]` holds (secret token)"),
        ({"command": "x", "arguments": {"--key": TOKEN}}, "`--key` holds (secret token)"),
        ({"command": SecretText(("curl ", SecretRef("token")))}, "`command` must be text"),
        (
            {"command": "x", "environment": {"A": SecretText((SecretRef("other"),))}},
            "secret `other` is not set",
        ),
        ({}, "`command` must be text, and is missing"),
        ({"command": "  "}, "`command` must be text"),
        ({"command": ["a"]}, "`command` must be text, and is a list"),
        ({"command": "a\0b"}, "NUL"),
        ({"command": "x", "arguments": ["a\0"]}, "NUL"),
        ({"command": "x", "arguments": "a"}, "`arguments` must be a list"),
        ({"command": "x", "arguments": [{}]}, "`arguments[0]` must be text"),
        ({"command": "x", "environment": ["A"]}, "`environment` must be a map"),
        ({"command": "x", "environment": {"A=B": "c"}}, "`A=B` is not a name"),
        ({"command": "x", "environment": {"A": None}}, "`A` must be text"),
        ({"command": "x", "stdin": {}}, "`stdin` must be text"),
        ({"command": "x", "return": "both"}, "`return` must be one of"),
        ({"command": "x", "return": []}, "`return` must be one of"),
        ({"command": "x", "await": "no"}, "`await` must be true or false"),
        ("x", "the request must be a map"),
    ],
)
def test_an_unfit_request_is_a_configuration_fault_and_starts_nothing(shell, request_, reason):
    outcome = shell.perform(request_)
    assert isinstance(outcome, Broken)
    assert (outcome.fault.type, outcome.fault.status) == (fault.CONFIGURATION, 400)
    assert reason in outcome.fault.detail
    assert "s3cr3t" not in str(outcome)
    assert attach.state(shell.spool()) is State.ABSENT


def test_output_beyond_the_limit_says_so(shell):
    outcome = shell.perform({"command": "head -c 1048577 /dev/zero | tr '\\0' x"})
    assert outcome.output.endswith("x\n[truncated: the limit is 1048576 bytes]\n")
    assert outcome.output.count("x") >= 1048576


def test_output_that_is_not_utf8_is_replaced(shell):
    assert shell.perform({"command": r"printf 'a\377b'"}) == Done("a\N{REPLACEMENT CHARACTER}b")


def test_a_command_that_is_not_awaited_goes_on(shell):
    request = {"command": "sleep 0.1; echo x > ran", "await": False}
    assert shell.perform(request) == Done(None)
    assert attach.state(shell.spool()) is State.RUNNING
    asyncio.run(attach.wait(shell.spool()))
    assert Path(shell.around.folder, "ran").exists()


def test_each_attempt_has_a_run_of_its_own(shell):
    request = {"command": "echo x >> ran; wc -l < ran"}
    assert shell.perform(request).output.strip() == "1"
    assert shell.perform(request, attempt=2).output.strip() == "2"


def test_a_doubtful_order_that_never_started_is_carried_out(shell):
    assert shell.perform({"command": "echo x"}, doubtful=True) == Done("x\n")


def test_a_doubtful_order_that_runs_is_attached_to(shell):
    request = {"command": "echo x >> ran; sleep 0.1; cat ran"}

    async def main():
        first = asyncio.create_task(shell.performer.perform(shell.order(request)))
        await until(lambda: attach.state(shell.spool()) is State.RUNNING)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return await shell.performer.perform(shell.order(request, doubtful=True))

    assert asyncio.run(main()) == Done("x\n")


def test_a_doubtful_order_that_has_ended_gives_its_recorded_end(shell):
    request = {"command": "echo x >> ran; cat ran"}
    assert shell.perform(request) == Done("x\n")
    assert shell.perform(request, doubtful=True) == Done("x\n")


def test_a_repeat_that_a_person_ordered_runs_again_and_keeps_the_evidence(shell):
    request = {"command": "echo x >> ran; wc -l < ran"}
    assert shell.perform(request).output.strip() == "1"
    assert shell.perform(request).output.strip() == "2"
    assert Path(shell.spool() + ".1", "status.json").exists()


def lose(shell):
    """Leave the traces of a supervisor that a crash of the machine took away."""
    files.make_folder(shell.spool())
    files.write_durably(shell.spool() + "/order.json", files.encode({"id": shell.identity, "at": 1.0}))
    lost = {"pid": 4, "ticks": 1, "boot": "former"}
    files.write_durably(shell.spool() + "/claim.json", files.encode(lost))
    Path(shell.spool(), "stdout").write_text("half done with s3cr3t-value\n")


def test_a_lost_command_is_held_with_its_evidence(shell):
    lose(shell)
    outcome = shell.perform({"command": "echo x"}, doubtful=True)
    assert isinstance(outcome, Doubt)
    assert outcome.evidence["stdout"] == "half done with (secret token)\n"
    assert outcome.evidence["machine"] == "restarted since"


def test_a_lost_command_is_repeated_or_skipped_where_the_author_says_so(shell):
    lose(shell)
    assert shell.perform({"command": "echo x"}, doubtful=True, on_doubt=OnDoubt.SKIP) == Done(None)
    assert shell.perform({"command": "echo x"}, doubtful=True, on_doubt=OnDoubt.REPEAT) == Done("x\n")


def test_a_lost_command_that_nobody_awaits_was_started_and_that_is_all(shell):
    lose(shell)
    assert shell.perform({"command": "echo x", "await": False}, doubtful=True) == Done(None)


@pytest.mark.slow
def test_a_supervisor_killed_under_our_eyes_is_doubt(shell):
    request = {"command": "echo up; sleep 60"}

    async def main(**changes):
        running = asyncio.create_task(shell.performer.perform(shell.order(request, **changes)))
        await until(lambda: attach.output_of(shell.spool(), "stdout") == "up\n")
        claim = files.read_record(shell.spool() + "/claim.json")
        os.kill(claim["pid"], signal.SIGKILL)
        return await running

    assert isinstance(asyncio.run(main()), Doubt)


def test_a_supervisor_that_never_comes_up_is_a_fault(shell, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    outcome = shell.perform({"command": "echo x"})
    assert outcome.fault.title == "The supervisor could not be started"


def test_abandon_ends_the_whole_group(shell):
    request = {"command": "sleep 60 & echo up; wait"}

    async def main():
        running = asyncio.create_task(shell.performer.perform(shell.order(request)))
        await until(lambda: attach.output_of(shell.spool(), "stdout") == "up\n")
        await shell.performer.abandon(shell.order(request))
        return await running

    outcome = asyncio.run(main())
    assert outcome.fault.title == "The command was stopped"


def test_abandon_of_what_was_never_begun_keeps_it_from_beginning(shell):
    asyncio.run(shell.performer.abandon(shell.order({"command": "echo x"})))
    outcome = shell.perform({"command": "echo x > ran"}, doubtful=True)
    assert isinstance(outcome, Doubt)
    assert not Path(shell.around.folder, "ran").exists()
