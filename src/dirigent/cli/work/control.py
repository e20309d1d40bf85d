"""The work of `cancel`, `suspend`, `signal`, `retry`, `skip`, `set-output` and `rerun`."""

from __future__ import annotations

from typing import Final

from dirigent.app import conducting
from dirigent.app.stacks import Surrounding
from dirigent.app.tools import TOOLS
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.session import around, who
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.following import followed
from dirigent.cli.work.run import detached, told
from dirigent.model.ids import RunId
from dirigent.model.values import Value
from dirigent.service import documents, runs
from dirigent.service.steering import answering
from dirigent.service.steering import rerun as again
from dirigent.service.steering.answering import Word

DONE: Final = {"again": "goes on from", "skip": "passes over", "output": "has the output of"}


def cancel(options: Options) -> int:
    """Stop a run for good."""
    return wait_for(_cancel(around(options), options))


async def _cancel(surrounding: Surrounding, options: Options) -> int:
    async with conducting.conducting(surrounding) as desk:
        run, end = await runs.cancel(desk, options.text("run_id"), options.text("reason"), who())
    return _told(run, end.phase, options)


def suspend(options: Options) -> int:
    """Stop a run for a while."""
    return wait_for(_suspend(around(options), options))


async def _suspend(surrounding: Surrounding, options: Options) -> int:
    async with conducting.conducting(surrounding) as desk:
        run = await runs.suspend(desk, options.text("run_id"), options.text("reason"), who())
    return _told(run, "suspended", options)


def signal(options: Options) -> int:
    """Send an event to a run."""
    text = options.text("data")
    data = documents.value_of_text(text, "--data") if text else None
    return wait_for(_signal(around(options), data, options))


async def _signal(surrounding: Surrounding, data: Value, options: Options) -> int:
    event = options.text("event")
    async with conducting.conducting(surrounding, drive=False) as desk:
        run = await runs.signal(desk, options.text("run_id"), event, data, options.text("key"))
    if options.as_json:
        say_json({"run": run, "event": event})
    else:
        say(f"run {run} has the event {event}")
    return Exit.DONE


def _told(run: RunId, phase: str, options: Options) -> int:
    if options.as_json:
        say_json({"run": run, "phase": phase})
    else:
        say(f"run {run} is {phase}")
        if phase == "suspended":
            say(f"next: dirigent resume {run}")
    return Exit.DONE


def retry(options: Options) -> int:
    """Have a run that failed go on from a task, and follow it."""
    return _spoken(Word("again", options.text("place"), reason=options.text("reason"), by=who()), options)


def skip(options: Options) -> int:
    """Pass over a task, and follow the run."""
    return _spoken(Word("skip", options.text("task"), reason=options.text("reason"), by=who()), options)


def set_output(options: Options) -> int:
    """Give a task its output, and follow the run."""
    output = documents.value_of_text(options.text("value"), "--value")
    return _spoken(Word("output", options.text("task"), output, options.text("reason"), who()), options)


def _spoken(word: Word, options: Options) -> int:
    return wait_for(_speak(around(options), word, options))


async def _speak(surrounding: Surrounding, word: Word, options: Options) -> int:
    async with conducting.conducting(surrounding) as desk:
        run, position = await answering.speak(desk, TOOLS, options.text("run_id"), word)
        if not options.as_json:
            note(f"run {run}: {DONE[word.answer]} {position or '/'}")
        end = await followed(desk, run, quiet=options.as_json, seconds=options.number("timeout"))
    return told(run, end, options)


def rerun(options: Options) -> int:
    """Run again what was run, and follow it."""
    return wait_for(_rerun(around(options), options))


async def _rerun(surrounding: Surrounding, options: Options) -> int:
    async with conducting.conducting(surrounding) as desk:
        run = await again.rerun(
            desk, options.text("run_id"), options.text("new"), options.text("reason"), who()
        )
        if options.flag("detach"):
            return detached(run, options)
        if not options.as_json:
            note(f"run {run}")
        end = await followed(desk, run, quiet=options.as_json, seconds=options.number("timeout"))
    return told(run, end, options)
