"""The work of `cancel`, `suspend` and `signal`."""

from __future__ import annotations

from dirigent.app import conducting
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.options import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import around, who
from dirigent.cli.waiting import wait_for
from dirigent.model.ids import RunId
from dirigent.model.values import Value
from dirigent.service import documents, runs


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
