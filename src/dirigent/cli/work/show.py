"""The work of `show`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

from dirigent import __version__
from dirigent.app.databases import large
from dirigent.app.looking import looking
from dirigent.app.tools import TOOLS
from dirigent.cli import wire
from dirigent.cli.answer import Json, span_json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.place import place
from dirigent.cli.text.checks import check_lines
from dirigent.cli.text.terminal import out
from dirigent.cli.text.tree import run_text
from dirigent.cli.waiting import wait_for
from dirigent.model.problem import refuse
from dirigent.model.run import payload
from dirigent.service.finding import find
from dirigent.service.views import RunView, TaskView, view
from dirigent.service.views.checks import CheckView, of_run
from dirigent.settings import Settings
from dirigent.stores import transfer


def show(options: Options) -> int:
    """Show one run."""
    return wait_for(_show(place(options).settings, options))


async def _show(settings: Settings, options: Options) -> int:
    async with looking(settings) as reader:
        found = await find(reader.shelf, options.text("run_id"))
        facts = await reader.journal.read(found.id)
        program = await reader.journal.definition(found.definition)
        if options.text("export"):
            return await _export(transfer.Transfer(found.id, program, facts), options)
        seen = view(program, found.id, facts, TOOLS)
        checks = of_run(facts)
        now = reader.clock.now()
    file = options.text("output")
    if file:
        return written(seen, Path(file), settings)
    if options.as_json:
        say_json(_json(seen, checks))
    else:
        told = [run_text(seen, now, out(), whole=options.flag("whole"))]
        say("\n".join([*told, *check_lines(checks, out(), full=options.flag("whole"))]))
    return Exit.DONE


async def _export(moved: transfer.Transfer, options: Options) -> int:
    """Write a run to a file that is not there yet, for its owner alone."""
    path = Path(options.text("export"))
    text = transfer.written(moved, __version__)
    try:
        await asyncio.to_thread(_write, path, text)
    except OSError as error:
        raise refuse(
            "E7034", f"`{path}` cannot be written: {error.strerror}", "name a file that is not there"
        ) from None
    if options.as_json:
        say_json({"run": moved.run, "file": str(path), "facts": len(moved.facts)})
    else:
        say(f"run {moved.run} is in {path}, with {len(moved.facts)} facts")
    return Exit.DONE


def _write(path: Path, text: str) -> None:
    with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)


def _json(seen: RunView, checks: Sequence[CheckView]) -> Json:
    """Return one run with its tasks, and the checks that it has asked."""
    return {
        "id": seen.id,
        "name": seen.name,
        "kind": seen.kind,
        "phase": seen.phase,
        "createdAt": seen.created_at,
        "endedAt": seen.ended_at,
        "facts": seen.facts,
        "input": wire.value(seen.input),
        "output": wire.value(seen.output),
        "fault": wire.fault(seen.fault),
        "tasks": [_task(each) for each in seen.tasks],
        "checks": [wire.check(each) for each in checks],
    }


def _task(seen: TaskView) -> Json:
    """Return one activation of a task."""
    return {
        "position": seen.position,
        "pointer": seen.pointer,
        "name": seen.name,
        "kind": seen.kind,
        "status": seen.status,
        "depth": seen.depth,
        "attempt": seen.attempt,
        "startedAt": seen.started_at,
        "endedAt": seen.ended_at,
        "until": seen.until,
        "reason": seen.reason,
        "evidence": wire.value(seen.evidence),
        "at": span_json(seen.span),
    }


def written(seen: RunView, file: Path, settings: Settings) -> int:
    """Write the output of a run to a file: text as it is, anything else as JSON.

    Raises:
        Refusal: E7054 when there is none, E5070 and E5071 for a large one that is missing or damaged.
    """
    if seen.phase != "completed":
        raise refuse(
            "E7054",
            f"run `{seen.id}` has no output: it is {seen.phase}",
            "look at it with `dirigent show RUN`",
        )
    named = payload.parts_of(seen.output)
    if named is not None:
        content = large.read(settings, named[0], f" of run `{seen.id}`")
    elif isinstance(seen.output, str):
        content = seen.output.encode()
    else:
        content = json.dumps(wire.value(seen.output), ensure_ascii=False, indent=2).encode() + b"\n"
    try:
        file.write_bytes(content)
    except OSError as failure:
        raise refuse(
            "E7054", f"`{file}` cannot be written: {failure.strerror}", "name another file"
        ) from None
    return Exit.DONE
