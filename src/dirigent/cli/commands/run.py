"""Commands that move runs: `run` starts one, `resume` lets one go on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from dirigent import app
from dirigent.cli import wire
from dirigent.cli.exits import Exit
from dirigent.cli.follow import followed
from dirigent.cli.run_text import fault_text, indented
from dirigent.cli.session import around, opened
from dirigent.cli.shell import (
    answering,
    complain,
    note,
    pairs,
    placed,
    say,
    say_json,
    wait_for,
    with_json,
)
from dirigent.cli.terminal import err
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.run.journal import Ended, Resumed
from dirigent.model.run.summary import RunSummary
from dirigent.model.values import Value
from dirigent.service import runs, stacks


@click.command()
@click.argument("workflow", metavar="WORKFLOW|FILE")
@placed
@click.option("-i", "--input", "given", multiple=True, metavar="NAME=VALUE", help="One member of the input.")
@click.option("--input-file", metavar="FILE", help="The input, as YAML or JSON; `-` is standard input.")
@click.option(
    "--stack-input", "flags", multiple=True, metavar="NAME=VALUE", help="Give one input of the stack."
)
@click.option("--id", "run_id", metavar="ID", help="The run's id: the same id starts nothing twice.")
@with_json
@answering
def run(workflow: str, *, as_json: bool, **options: object) -> int:
    """Start a workflow of the stack, or an Open Workflow FILE, and follow it to its end."""
    value = _input(options)
    path = Path(str(options["directory"] or ".")) / workflow
    if path.is_file():
        program, warnings = stacks.load_workflow(path)
        if warnings:
            complain(warnings)
        surrounding, session = around(options, (program,)), None
    else:
        program, session = None, opened(options)
        surrounding = session.surrounding
    run_id = str(options["run_id"]) if options["run_id"] else None

    async def work() -> int:
        async with app.conducting(surrounding) as desk:
            if program is not None:
                wanted = runs.naked(program, value)
            elif session is not None:
                wanted = await runs.of_stack(desk.planner, session.stack, session.inputs, workflow, value)
            else:
                raise AssertionError(workflow)
            started = await desk.must_conduct.start(wanted.start(RunId(run_id) if run_id else None))
            if not as_json:
                note(f"run {started}")
            return _told(started, await followed(desk, started, as_json=as_json), as_json=as_json)

    return wait_for(work())


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option(
    "--done",
    metavar="JSON",
    is_flag=False,
    flag_value="null",
    help="A held effect happened, with this result.",
)
@click.option("--repeat", is_flag=True, help="Do a held effect again.")
@click.option("--skip", is_flag=True, help="Pass over a held effect.")
@with_json
@answering
def resume(
    run_id: str, *, done: str | None, repeat: bool, skip: bool, as_json: bool, **options: object
) -> int:
    """Let a run go on: suspended, held, or left open by a crash. Follows it to its end."""
    chosen = [
        name for name, given in (("done", done is not None), ("repeat", repeat), ("skip", skip)) if given
    ]
    if len(chosen) > 1:
        raise click.UsageError("--done, --repeat and --skip exclude each other")
    output = _value(done, "--done") if done is not None else None

    async def work() -> int:
        async with app.conducting(around(options)) as desk:
            found = await runs.find(desk.shelf, run_id)
            if found.open:
                await _let_go(desk, found, chosen[0] if chosen else "", output)
            return _told(found.id, await followed(desk, found.id, as_json=as_json), as_json=as_json)

    return wait_for(work())


async def _let_go(desk: app.Desk, found: RunSummary, choice: str, output: Value) -> None:
    conductor = desk.must_conduct
    if choice:
        for fact in await runs.answers_for(desk.journal, found.id, choice, desk.clock.now(), output):
            await conductor.tell(found.id, fact)
    if found.phase == "suspended":
        await conductor.tell(found.id, Resumed(desk.clock.now()))


def _told(run_id: RunId, end: Ended, *, as_json: bool) -> int:
    """Show how a run ended."""
    if as_json:
        say_json(
            {
                "run": run_id,
                "phase": end.phase,
                "output": wire.value(end.output),
                "fault": wire.fault(end.fault),
            }
        )
    elif end.phase == "completed":
        say(indented(end.output))
    elif end.fault is not None:
        note(fault_text(end.fault, err()))
        note(f"  = look closer with: dirigent show {run_id}")
    else:
        note(f"run {run_id} was {end.phase}")
    return Exit.DONE if end.phase == "completed" else Exit.FAILED


def _input(options: Mapping[str, object]) -> Value:
    """Return the input that the options give, or None; members on the line win over the file."""
    given, file = options["given"], options["input_file"]
    flags = pairs(tuple(str(each) for each in given)) if isinstance(given, tuple) else {}
    members: dict[str, Value] = {name: _value(text, "--input") for name, text in flags.items()}
    if not file:
        return members or None
    piped = file == "-"
    base = _value(sys.stdin.read(), "standard input") if piped else stacks.value_of(Path(str(file)))
    if not members:
        return base
    if not isinstance(base, dict):
        raise refuse("E7004", "`--input` adds members, but the input file does not hold an object")
    return {**base, **members}


def _value(text: str, source: str) -> Value:
    """Return what a text on the command line means: YAML, of which JSON is a part; else the text itself."""
    node, problems = load(text, source)
    if node is None or problems:
        return text
    return plain(node)
