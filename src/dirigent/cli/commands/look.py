"""Commands that look and change nothing: `ps`, `show`, `events`, `logs`."""

from __future__ import annotations

import json
import sys

import click

from dirigent import app
from dirigent.cli import wire
from dirigent.cli.exits import Exit
from dirigent.cli.run_text import clock, rows_text, run_text, runs_text
from dirigent.cli.session import around
from dirigent.cli.shell import answering, placed, say, say_json, wait_for, with_json
from dirigent.cli.terminal import out, shown
from dirigent.model.problem import refuse
from dirigent.model.run.journal import Created
from dirigent.providers.services.logs import read_logs
from dirigent.service import runs
from dirigent.service.views import view


@click.command()
@placed
@click.option("-a", "--all", "every", is_flag=True, help="Finished runs, too.")
@click.option("-n", "--limit", default=20, show_default=True, help="At most so many runs.")
@with_json
@answering
def ps(*, every: bool, limit: int, as_json: bool, **options: object) -> int:
    """List runs that are not over, and resources."""

    async def work() -> int:
        async with app.looking(around(options)) as desk:
            found = await desk.shelf.runs(only_open=not every, limit=limit)
            rows = await desk.shelf.rows()
            now = desk.clock.now()
        if as_json:
            say_json(
                {"runs": [wire.summary(run) for run in found], "resources": [wire.row(row) for row in rows]}
            )
        else:
            terminal = out()
            say(f"{terminal.paint('RUNS', 'bold')}\n{runs_text(found, now, terminal)}")
            say(f"\n{terminal.paint('RESOURCES', 'bold')}\n{rows_text(rows, terminal)}")
        return Exit.DONE

    return wait_for(work())


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@with_json
@answering
def show(run_id: str, *, as_json: bool, **options: object) -> int:
    """Show one run. RUN is an id, the beginning of one, or a workflow's name for its newest."""

    async def work() -> int:
        async with app.looking(around(options)) as desk:
            found = await runs.find(desk.shelf, run_id)
            facts = await desk.journal.read(found.id)
            program = await desk.journal.definition(found.definition)
            seen = view(program, found.id, facts, desk.tools)
            now = desk.clock.now()
        if as_json:
            say_json(wire.run(seen))
        else:
            say(run_text(seen, now, out()))
        return Exit.DONE

    return wait_for(work())


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@with_json
@answering
def events(run_id: str, *, as_json: bool, **options: object) -> int:
    """Show the facts of RUN, one a line. With --json, one JSON object a line."""

    async def work() -> int:
        async with app.looking(around(options)) as desk:
            found = await runs.find(desk.shelf, run_id)
            facts = await desk.journal.read(found.id)
        for number, fact in enumerate(facts, 1):
            told = wire.fact(number, fact)
            if as_json:
                say(json.dumps(told, ensure_ascii=False))
            elif isinstance(told, dict):
                rest = {name: each for name, each in told.items() if name not in {"n", "fact", "at"}}
                since = fact.at - facts[0].at if isinstance(facts[0], Created) else 0.0
                say(f"{number:>4} {since:>9.3f}s {told['fact']:<16} {json.dumps(rest, ensure_ascii=False)}")
        return Exit.DONE

    return wait_for(work())


@click.command()
@click.argument("service", metavar="SERVICE")
@placed
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, across restarts.")
@click.option("-n", "--lines", default=100, show_default=True, help="So many lines from before.")
@answering
def logs(service: str, *, follow: bool, lines: int, **options: object) -> int:
    """Show the output of SERVICE, all of its replicas, oldest first."""
    surrounding = around(options)

    async def known() -> bool:
        async with app.looking(surrounding) as desk:
            return any(row.address == service for row in await desk.shelf.rows() if row.type == "service")

    async def work() -> int:
        if not await known():
            raise refuse("E4014", f"there is no service `{service}`", "list the resources with `dirigent ps`")
        async for line in read_logs(surrounding.settings.services, service, last=lines, follow=follow):
            who = "steward" if line.replica is None else f"{service}#{line.replica}"
            sys.stdout.write(f"{clock(line.at)} {who} {shown(line.text)}\n")
            sys.stdout.flush()
        return Exit.DONE

    return wait_for(work())
