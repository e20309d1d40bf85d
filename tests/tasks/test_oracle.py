"""The oracle answers what the local language cannot, and nothing that is asked can hurt it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dirigent.jq import LANGUAGE
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.run.command import Question
from dirigent.model.values import Expression, SecretRef, SecretText, Unknown
from dirigent.tasks.oracle import JqOracle

SECRET = SecretText((SecretRef("key"),))
SAFE = 2**53 - 1
SOURCES = str(Path(__file__).parents[2] / "src")


def question(text, dot=None, **variables):
    return Question(Expression(text), dot, variables)


@asynccontextmanager
async def oracle(seconds=2.0):
    made = JqOracle(seconds)
    try:
        yield made
    finally:
        await made.close()


def answers(*questions, seconds=2.0):
    """Return the answers of one oracle to the questions, each put by itself."""

    async def ask():
        async with oracle(seconds) as made:
            return [(await made.answer([one]))[0] for one in questions]

    return asyncio.run(ask())


def detail(answer):
    assert isinstance(answer, Fault)
    assert (answer.type, answer.status) == (EXPRESSION, 400)
    return answer.detail


def test_answers_come_in_the_order_of_the_questions():
    async def ask():
        async with oracle() as made:
            return await made.answer([question("reduce .[] as $x (0; . + $x)", [n, 1]) for n in range(20)])

    assert asyncio.run(ask()) == tuple(n + 1 for n in range(20))


def test_no_questions_start_no_worker():
    async def ask():
        async with oracle() as made:
            return await made.answer([]), made.pid

    assert asyncio.run(ask()) == ((), None)


@pytest.mark.slow
def test_many_tasks_may_ask_at_once():
    async def ask():
        async with oracle() as made:
            return await asyncio.gather(
                *(made.answer([question("[limit(2; .[])]", [n, 2, 3])]) for n in range(50))
            )

    assert asyncio.run(ask()) == [([n, 2],) for n in range(50)]


def test_values_go_there_and_back():
    kept = {"a": [None, True, False, 0, -1, SAFE, 1.5, "é😀\u2028\x7f", {"": []}], "b": {}}
    found = answers(
        question("..|select(.==1)", 1),
        question("path(..)|tojson", {"a": [1]}),
        question("getpath([])", kept),
        question("limit(0; 1)"),
        question("$x + $y.z | getpath([])", None, x=1, y={"z": 2}, unused=SECRET),
        question("getpath([]) | tostring", 60.0),
    )
    assert found == [1, ["[]", '["a"]', '["a",0]'], kept, None, 3, "60"]


def test_now_is_the_callers_time_and_there_is_no_time_zone():
    assert answers(question("now | todate", None, now=0), question("0 | localtime | mktime")) == [
        "1970-01-01T00:00:00Z",
        0,
    ]
    assert "`$now` is not defined" in detail(answers(question("now | todate"))[0])


def test_only_named_members_of_variables_are_sent():
    secrets = {"token": SECRET, "host": "example.org"}
    plain, whole, secret, in_dot = answers(
        question("$s.host | getpath([])", None, s=secrets),
        question("$s | paths", None, s=secrets),
        question("$s.token | getpath([])", None, s=secrets),
        question("paths", {"a": SECRET}),
    )
    assert plain == "example.org"
    for answer in (whole, secret, in_dot):
        assert "a secret cannot go through the expression worker: (secret key)" in detail(answer)


def test_what_is_not_known_yet_is_refused():
    assert "not known yet" in detail(answers(question("paths", Unknown(("db",))))[0])


@pytest.mark.parametrize("integer", [SAFE + 1, 9007199254740993, -(2**60), 10**30])
def test_a_large_integer_is_refused_and_never_rounded(integer):
    into, nested, out = answers(
        question("getpath([])", integer),
        question("$x | getpath([])", None, x={"deep": [{"id": integer}]}),
        question(f"[{integer}] | getpath([])"),
    )
    assert f"`{integer}` is too large to be exact" in detail(into)
    assert "too large to be exact" in detail(nested)
    assert "too large to be exact" in detail(out)


def test_a_text_of_digits_and_a_safe_integer_pass():
    kept = ["9007199254740993", SAFE, -SAFE, 1e-7, 12345.6789]
    assert answers(question("getpath([])", kept)) == [kept]


def test_numbers_that_json_lacks():
    nan, infinite, big, given = answers(
        question("[nan]"),
        question("infinite"),
        question(". * 1e300 | getpath([])", 1e300),
        question("paths", float("inf")),
    )
    assert nan == [None]
    for answer in (infinite, big):
        assert "too large" in detail(answer)
    assert "JSON cannot hold" in detail(given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reduce .[] as $x (0; . + $x", "never closed"),
        ("1) | (2", "closes nothing"),
        ("env | paths", "`env` is not available"),
        ("$ENV | paths", "`$ENV` is not available"),
        ('import "/etc/hosts" as $d; $d', "`import` is not available"),
        ('include "x"; paths', "`include` is not available"),
        ("[inputs]", "`inputs` is not available"),
        ("halt", "`halt` is not available"),
        ("$__loc__", "two underscores"),
        ("[paths] | error", "[]"),
        ('def f: error("mine"); f', "mine"),
        ("[.[] as [$a] | $a] | nope", "`nope/0` is not defined"),
        ('"a" | test("(")', "Regex failure"),
        ("[range(200000) | getpath([])]", "too many values"),
        ("reduce range(200) as $i (1; [.])", "deeper than"),
    ],
)
def test_what_fails_gives_a_fault_in_words(text, words):
    assert words in detail(answers(question(text))[0])


HOSTILE = {
    "endless recursion": "def f: f; f",
    "deep recursion": "def f: 1 + f; f",
    "endless stream": "[repeat(1)]",
    "endless loop": "last(range(1e15) | getpath([]))",
    "doubling text": 'reduce range(60) as $i ("x"; . + .)',
    "doubling array": "reduce range(60) as $i ([1]; . + .)",
    "repeated text": 'reduce 1 as $i (null; "x" * 100000000000)',
    "catastrophic pattern": '("a" * 60 + "!") | test("^(a+)+$")',
    "huge path": "[paths] | reduce range(1000000) as $i (.; .[$i * 1000] = 1)",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_expression_is_ended_and_the_next_question_answered(text):
    start = time.monotonic()
    hostile, following = answers(question(text), question("[limit(1; .[])]", [7]), seconds=0.4)
    assert detail(hostile)
    assert following == [7]
    assert time.monotonic() - start < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", ["doubling text", "doubling array", "deep recursion"])
def test_a_memory_bomb_hits_the_limit_of_the_worker_alone(name):
    bomb, following = answers(question(HOSTILE[name]), question("[paths]", [1]), seconds=30.0)
    assert "memory" in detail(bomb)
    assert following == [[0]]


ENGINE = """
import asyncio
from dirigent.model.run.command import Question
from dirigent.model.values import Expression
from dirigent.tasks.oracle import JqOracle

async def main():
    oracle = JqOracle(60.0)
    await oracle.answer([Question(Expression("[paths]"), [1], {})])
    print(oracle.pid, flush=True)
    await oracle.answer([Question(Expression("last(range(1e15) | getpath([]))"), 1, {})])

asyncio.run(main())
"""


@pytest.mark.slow
def test_the_worker_dies_with_the_engine_even_in_the_middle_of_a_question():
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE], stdout=subprocess.PIPE, env={"PYTHONPATH": SOURCES}
    ) as engine:
        worker = Path(f"/proc/{int(engine.stdout.readline())}")
        assert worker.exists()
        engine.kill()
    deadline = time.monotonic() + 60
    while (
        worker.exists() and "(zombie)" not in (worker / "status").read_text() and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    assert not worker.exists() or "(zombie)" in (worker / "status").read_text()


@pytest.mark.parametrize("text", ["(" * 50_000, "[" * 60 + "paths" + "]" * 60 + "(" * 10])
def test_a_wall_of_brackets_is_refused_before_the_worker(text):
    assert detail(answers(question(text))[0])


@pytest.mark.slow
def test_a_worker_that_was_killed_is_replaced():
    async def ask():
        async with oracle() as made:
            first = await made.answer([question("[paths]", [1])])
            os.kill(made.pid, signal.SIGKILL)
            second = await made.answer([question("[paths]", [1])])
            return first, second

    assert asyncio.run(ask()) == (([[0]],), ([[0]],))


@pytest.mark.slow
def test_a_kill_in_the_middle_of_a_question_is_no_harm():
    async def ask():
        async with oracle(20.0) as made:
            await made.answer([question("[paths]", [1])])
            before = made.pid
            asking = asyncio.create_task(made.answer([question("last(range(400000) | getpath([]))")]))
            await asyncio.sleep(0.1)
            os.kill(before, signal.SIGKILL)
            return before, await asking, await made.answer([question("[paths]", [1])]), made.pid

    before, asked, following, after = asyncio.run(ask())
    assert asked == (399_999,)
    assert following == ([[0]],)
    assert after != before


@pytest.mark.slow
def test_a_worker_that_waits_for_the_processor_is_waited_for():
    async def ask():
        async with oracle(0.2) as made:
            await made.answer([question("[paths]", [1])])
            before = made.pid
            os.kill(before, signal.SIGSTOP)
            asking = asyncio.create_task(made.answer([question("[paths]", [1])]))
            await asyncio.sleep(0.5)
            os.kill(before, signal.SIGCONT)
            return await asking, made.pid == before

    assert asyncio.run(ask()) == (([[0]],), True)


@pytest.mark.slow
def test_a_cancelled_question_leaves_no_answer_behind():
    async def ask():
        async with oracle(5.0) as made:
            asking = asyncio.create_task(made.answer([question("last(range(1e15) | getpath([]))")]))
            await asyncio.sleep(0.3)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            return await made.answer([question("[paths]", [1])])

    assert asyncio.run(ask()) == ([[0]],)


def test_a_closed_oracle_has_no_process_and_starts_again_when_asked():
    async def ask():
        made = JqOracle()
        await made.answer([question("[paths]", [1])])
        pid = made.pid
        await made.close()
        gone = made.pid
        again = await made.answer([question("[paths]", [1])])
        await made.close()
        return pid, gone, again

    pid, gone, again = asyncio.run(ask())
    assert gone is None
    assert again == ([[0]],)
    assert not Path(f"/proc/{pid}").exists()


def test_the_worker_has_no_environment_and_only_its_three_descriptors():
    async def look():
        async with oracle() as made:
            await made.answer([question("[paths]", [1])])
            process = Path(f"/proc/{made.pid}")
            return (
                (process / "environ").read_bytes(),
                sorted(entry.name for entry in (process / "fd").iterdir()),
                (process / "limits").read_text(),
            )

    environ, descriptors, limits = asyncio.run(look())
    assert environ == b""
    assert descriptors == ["0", "1", "2"]
    assert "536870912" in next(line for line in limits.splitlines() if line.startswith("Max address space"))


@pytest.mark.slow
def test_the_worker_agrees_with_the_local_language():
    texts = [
        ".a.b",
        "{a, c: (.a.b + 1)}",
        '"\\(.a.b)-\\($x.y)"',
        "[.l[] | select(. > 1)]",
        "now",
        ".a | keys",
        "try .l.x catch 5",
    ]
    dot, variables = {"a": {"b": 1}, "l": [1, 2, 3]}, {"x": {"y": "z"}, "now": 12.5}
    asked = answers(*(question(text, dot, **variables) for text in texts))
    assert asked == [LANGUAGE.compile(text).evaluate(dot, variables) for text in texts]
