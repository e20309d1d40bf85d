"""The work of `schedule list` and `schedule next`: they read the store, whoever drives it."""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.app.looking import looking
from dirigent.app.stacks import Surrounding
from dirigent.cli import wire
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import around
from dirigent.cli.text.terminal import padded
from dirigent.cli.waiting import wait_for
from dirigent.lang.schedule.calendar import stamp
from dirigent.model.run.schedule import as_value
from dirigent.service.schedules.looking import Coming, ScheduleView, ahead, named
from dirigent.service.schedules.looking import listed as all_of


def listed(options: Options) -> int:
    """List the schedules."""
    return wait_for(_listed(around(options), options))


async def _listed(surrounding: Surrounding, options: Options) -> int:
    async with looking(surrounding.settings) as reader:
        found = await all_of(reader.journal, reader.shelf)
        now = reader.clock.now()
    nexts = [next((each for each in ahead(view, now, 1000) if not each.skipped), None) for view in found]
    if options.as_json:
        rows = zip(found, nexts, strict=True)
        say_json({"schedules": [view_json(view, coming) for view, coming in rows]})
    elif not found:
        say("no schedules: `dirigent up` makes those of a stack active")
    else:
        say(
            _table(
                ["SCHEDULE", "WHEN", "NEXT", "STATE", "LAST"],
                [
                    [
                        view.name,
                        view.when,
                        _next(view, coming),
                        view.phase,
                        view.what or "-",
                    ]
                    for view, coming in zip(found, nexts, strict=True)
                ],
            )
        )
    return Exit.DONE


def coming(options: Options) -> int:
    """Show what comes next."""
    return wait_for(_coming(around(options), options))


async def _coming(surrounding: Surrounding, options: Options) -> int:
    wanted, count = options.text("name"), int(options.number("count") or 5)
    async with looking(surrounding.settings) as reader:
        if wanted:
            views = [await named(reader.journal, reader.shelf, wanted)]
        else:
            views = await all_of(reader.journal, reader.shelf)
        now = reader.clock.now()
    found = [(view, each) for view in views for each in ahead(view, now, count)]
    found = sorted(found, key=lambda each: (each[1].due, each[0].name))[: count if wanted else None]
    if options.as_json:
        say_json({"next": [coming_json(view, each) for view, each in found]})
    else:
        rows = [[stamp(each.due), view.name, each.skipped or "runs"] for view, each in found]
        rows += [["-", view.name, _waits(view)] for view in views if view.schedule.on is not None]
        say(_table(["DUE", "SCHEDULE", "WHAT"], rows) if rows else "nothing comes")
    return Exit.DONE


def _next(view: ScheduleView, coming: Coming | None) -> str:
    if view.schedule.on is not None:
        return "with its events"
    return stamp(coming.due) if coming else "-"


def _waits(view: ScheduleView) -> str:
    """Return what comes of a schedule that events start: when, nobody knows."""
    if view.phase == "paused":
        return "paused: its events wait until it is resumed"
    return f"runs {view.when}"


def view_json(view: ScheduleView, following: Coming | None) -> Json:
    """Return one schedule of a list."""
    return {
        "name": view.name,
        "run": view.run,
        "when": view.when,
        "state": view.phase,
        "next": following.due if following else None,
        "last": view.last or None,
        "outcome": view.what or None,
        "missed": view.missed,
        "schedule": wire.value(as_value(view.schedule)),
    }


def coming_json(view: ScheduleView, each: Coming) -> Json:
    """Return one time that comes."""
    return {"name": view.name, "at": each.at, "due": each.due, "skipped": each.skipped or None}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(row[column]) for row in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in lines
    )
