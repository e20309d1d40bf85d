"""The work of `run` and `resume`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from dirigent.app import conducting
from dirigent.app.later import python_named, python_written
from dirigent.app.stacks import Surrounding
from dirigent.cli import wire
from dirigent.cli.answer import complain
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.place import place
from dirigent.cli.session import Session, around, opened, pairs, who
from dirigent.cli.text.runs import ended_text, fault_text, indented
from dirigent.cli.text.terminal import err
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.following import followed
from dirigent.cli.work.queues.tickets import ticket_of
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.program import Program
from dirigent.model.run.journal import Ended
from dirigent.model.values import Value
from dirigent.service import documents, finding, runs

# What ends so is a file, not the name of a workflow.
_DOCUMENTS = (".yaml", ".yml", ".json")
CHOICES = ("done", "repeat", "skip")


def run(options: Options) -> int:
    """Start a workflow and follow it."""
    value = _input(options)
    written = python_named(place(options).folder, options.text("workflow"), value)
    if written is not None:
        return wait_for(_run(around(options, (written,)), written, value, options))
    path = place(options).folder / options.text("workflow")
    if path.is_file():
        program, warnings = documents.load_workflow(path)
        if warnings:
            complain(warnings)
        return wait_for(_run(around(options, (program,)), program, value, options))
    if path.suffix in _DOCUMENTS:
        raise refuse(
            "E7001",
            f"`{path}`: no such file or directory",
            "paths start from the folder of the command; `-C DIR` names another",
        )
    session = opened(options, planning=False)
    return wait_for(_run(session.surrounding, session, value, options))


async def _run(surrounding: Surrounding, source: Program | Session, value: Value, options: Options) -> int:
    name = options.text("run_id")
    async with conducting.conducting(surrounding) as desk:
        if isinstance(source, Program):
            wanted = runs.naked(source, value)
        else:
            wanted = await runs.of_stack(
                desk.planner, source.stack, source.inputs, options.text("workflow"), value
            )
            program = python_written(surrounding.folder, wanted.program, wanted.input)
            wanted = replace(wanted, program=program)
        wanted = runs.in_doubt(wanted, options.text("doubt"))
        runs.check_secrets(desk.vault, wanted.program.secrets)
        ticket = ticket_of(options, desk.clock.now())
        start = wanted.start(RunId(name) if name else None, ticket, unique=options.flag("unique"))
        started = await desk.conductor.start(start)
        if options.flag("detach"):
            return detached(started, options)
        if not options.as_json:
            note(f"run {started}")
        end = await followed(desk, started, quiet=options.as_json, seconds=options.number("timeout"))
    return told(started, end, options)


def detached(started: RunId, options: Options) -> int:
    """Say that a run goes on by itself."""
    if options.as_json:
        say_json({"run": started, "phase": "started", "output": None, "fault": None})
    else:
        say(started)
    return Exit.DONE


def resume(options: Options) -> int:
    """Let a run go on, and follow it."""
    chosen = [name for name in CHOICES if options.flag(name) or (name == "done" and options.text(name))]
    if len(chosen) + bool(options.many("names")) > 1:
        raise click.UsageError("`--done`, `--as`, `--repeat` and `--skip` exclude each other")
    return wait_for(_resume(around(options), chosen[0] if chosen else "", options))


async def _resume(surrounding: Surrounding, choice: str, options: Options) -> int:
    wanted = options.text("run_id")
    output = documents.value_of_text(options.text("done"), "--done") if choice == "done" else None
    async with conducting.conducting(surrounding) as desk:
        found = await finding.find(desk.shelf, wanted) if wanted else await finding.only_open(desk.shelf)
        if not options.as_json and found.id != wanted:
            note(f"run {found.id}")
        await runs.let_go(desk, found, choice, output, who(), options.many("names"))
        end = await followed(desk, found.id, quiet=options.as_json, seconds=options.number("timeout"))
    return told(found.id, end, options)


def told(run_id: RunId, end: Ended, options: Options) -> int:
    """Show how a run ended."""
    if options.as_json:
        answer = {"run": run_id, "phase": end.phase, "output": wire.value(end.output)}
        say_json({**answer, "fault": wire.fault(end.fault)})
    elif end.phase == "completed":
        say(indented(end.output))
    else:
        note(fault_text(end.fault, err()) if end.fault else ended_text(run_id, end))
        note(f"  = look closer with: dirigent show {run_id}")
    return Exit.DONE if end.phase == "completed" else Exit.FAILED


def _input(options: Options) -> Value:
    """Return the input that the options give, or None; members on the line win over the file."""
    flags = pairs(options.many("given"))
    members = {name: documents.value_of_text(text, "--input") for name, text in flags.items()}
    file = options.text("input_file")
    if not file:
        return members or None
    if file == "-":
        base = documents.value_of_text(sys.stdin.read(), "standard input")
    else:
        base = documents.value_of(Path(file))
    if not members:
        return base
    if not isinstance(base, dict):
        raise refuse("E7004", "`--input` adds members, but the input file does not hold an object")
    return {**base, **members}
