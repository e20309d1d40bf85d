"""Deep and long documents: refused by a limit with a name, or run to their end in reasonable time."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from conformance.stage import SCRIPTED, Cast, played, probe, program_of
from dirigent.app.looking import SystemClock
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked
from dirigent.model import limits
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import ScriptedPerformer
from effort import calls

HEAD = {"document": {"dsl": "1.0.3", "namespace": "tests", "name": "size", "version": "1.0.0"}}
LEAF = {"set": {"depth": '${ $task.reference | split("/") | length }'}}


def nested(levels, task):
    for level in range(levels):
        task = {"do": [{f"level{level}": task}]}
    return task


def chain(functions, levels):
    """Functions that call one another, each from so many blocks inside one another."""
    onwards = [{"call": f"f{number + 1}"} for number in range(functions - 1)]
    known = {f"f{number}": nested(levels, task) for number, task in enumerate([*onwards, LEAF])}
    return json.dumps({**HEAD, "use": {"functions": known}, "do": [{"begin": {"call": "f0"}}]})


def codes(text):
    program, problems = read_naked(text, "size.json", LANGUAGE)
    assert program is None
    return [problem.code for problem in problems]


async def kept(program, folder):
    """A definition as it comes back from a store that was closed."""
    store = SqliteStore.open_for_writing(str(folder / "state" / "dirigent.db"))
    digest = await store.keep(program)
    await store.close()
    store = SqliteStore.open_for_reading(store.path)
    found = await store.definition(digest)
    await store.close()
    return found


def test_tasks_sixty_deep_are_read_run_and_kept(tmp_path):
    text = chain(functions=4, levels=14)
    run = probe(text)
    assert run.phase == "completed"
    # A task takes three steps of the pointer, a call two; one more stands before the first slash.
    assert run.output == {"depth": 1 + 3 + 4 * (2 + 14 * 3)}
    assert asyncio.run(kept(run.program, tmp_path)) == run.program


def test_a_fault_sixty_deep_has_its_place():
    text = chain(functions=4, levels=14).replace(json.dumps(LEAF), '{"set": {"x": "${ .a | error }"}}')
    run = probe(text)
    assert run.fault.instance.count("/do/0/level") == 4 * 14


@pytest.mark.parametrize("levels", [15, 18])
def test_functions_that_go_deeper_are_refused(levels):
    assert set(codes(chain(functions=limits.RUN_DEPTH - 1, levels=levels))) == {"E1311"}


def test_blocks_that_go_deeper_are_refused():
    assert codes(json.dumps({**HEAD, **nested(60, LEAF)})) == ["E1105"]
    assert codes(brackets(20_000)) == ["E1105"]


def brackets(levels):
    """As above, written by hand: the encoder of the library would not get so deep."""
    opening = '{"do": [{"level": ' * levels
    return json.dumps(HEAD)[:-1] + f', "do": [{{"level": {opening}{{"set": {{"x": 1}}}}{"}]}" * levels}}}]}}'


def sequence(tasks, task):
    return json.dumps({**HEAD, "do": [{f"t{number}": task} for number in range(tasks)]})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "task", "tasks"),
    [
        ("set", {"set": {"n": "${ (.n // 0) + 1 }"}}, 2_000),
        (
            "call",
            {"run": {"shell": {"command": "count"}}, "output": {"as": "${ {n: (($input.n // 0) + 1)} }"}},
            2_000,
        ),
    ],
)
def test_the_work_of_a_sequence_grows_as_its_tasks_do(kind, task, tasks, tmp_path):
    cast = Cast(dict.fromkeys(SCRIPTED, ScriptedPerformer()), SystemClock())

    async def scene(program, folder):
        store = SqliteStore.open_for_writing(str(folder / "dirigent.db"))
        try:
            return await played(store, cast, program)
        finally:
            await store.close()

    def made(tasks):
        run = asyncio.run(scene(program_of(sequence(tasks, task)), tmp_path / str(tasks)))
        assert run.output == {"n": tasks}

    few, many = (calls(partial(made, number)) for number in (tasks // 4, tasks))
    print(f"{kind}: {few:,} calls for {tasks // 4:,} tasks, {many:,} for {tasks:,}")
    assert many < 4.5 * few


@pytest.mark.slow
def test_a_loop_of_ten_thousand_passes_runs_to_its_end():
    text = "do: [{l: {for: {in: '[range(10000)]'}, do: [{s: {set: {n: '${ (.n // 0) + 1 }'}}}]}}]"
    assert probe(text).output == {"n": 10_000}
