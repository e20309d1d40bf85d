"""The work of `ps`, `events` and `logs`: they look, beside whatever engine runs."""

from __future__ import annotations

import json
from typing import Final

from dirigent.app.looking import left_out, looking
from dirigent.cli import wire
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json, say_line
from dirigent.cli.place import place
from dirigent.cli.text.runs import event_line, left_out_lines, log_line, rows_text, runs_text
from dirigent.cli.text.terminal import out
from dirigent.cli.waiting import wait_for
from dirigent.providers.services.logs import read_logs
from dirigent.service.finding import find, service_named
from dirigent.settings import Settings

# As many digits as an index has at most.
DIGITS: Final = 9


def ps(options: Options) -> int:
    """List runs and resources."""
    return wait_for(_ps(place(options).settings, options))


async def _ps(settings: Settings, options: Options) -> int:
    limit = int(options.number("limit") or 1)
    async with looking(settings) as reader:
        # One more than is shown tells whether there are more.
        found = await reader.shelf.runs(only_open=not options.flag("every"), limit=limit + 1)
        ended = not found and bool(await reader.shelf.runs(limit=1))
        # The tenth instance comes after the second, whatever the text of their addresses says.
        rows = sorted(await reader.shelf.rows(), key=lambda row: (row.name, str(row.key or "").zfill(DIGITS)))
        now = reader.clock.now()
        left = await left_out(settings, reader.journal)
    more = len(found) > limit
    found = found[:limit]
    if options.as_json:
        say_json(
            {
                "runs": [wire.summary(run) for run in found],
                "resources": [wire.row(row) for row in rows],
                "leftOut": [{"run": run, "code": why.code, "why": why.message} for run, why in left.items()],
            }
        )
        return Exit.DONE
    terminal = out()
    say(f"{terminal.paint('RUNS', 'bold')}\n{runs_text(found, now, terminal, ended=ended)}")
    if more:
        say(f"  and older ones: dirigent ps --limit {limit * 10}")
    for line in left_out_lines(left):
        say(line)
    say(f"\n{terminal.paint('RESOURCES', 'bold')}\n{rows_text(rows, terminal)}")
    return Exit.DONE


def events(options: Options) -> int:
    """Show the facts of a run."""
    return wait_for(_events(place(options).settings, options))


async def _events(settings: Settings, options: Options) -> int:
    async with looking(settings) as reader:
        found = await find(reader.shelf, options.text("run_id"))
        facts = await reader.journal.read(found.id)
    for number, fact in enumerate(facts, 1):
        told = wire.fact(number, fact)
        if options.as_json:
            say_line(told)
        else:
            rest = {name: each for name, each in told.items() if name not in {"n", "fact", "at"}}
            since = fact.at - facts[0].at
            say(event_line((number, type(fact).__name__, since), json.dumps(rest, ensure_ascii=False), out()))
    return Exit.DONE


def logs(options: Options) -> int:
    """Show the output of a service."""
    return wait_for(_logs(place(options).settings, options))


async def _logs(settings: Settings, options: Options) -> int:
    async with looking(settings) as reader:
        service = await service_named(reader.shelf, options.text("service"))
    lines = int(options.number("lines") or 0)
    terminal = out()
    async for line in read_logs(settings.services, service, last=lines, follow=options.flag("follow")):
        if options.as_json:
            say_line({"at": line.at, "replica": line.replica, "stream": line.stream, "text": line.text})
        else:
            say(log_line(service, line, terminal))
    return Exit.DONE
