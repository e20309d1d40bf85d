"""The work of `schedule pause`, `resume` and `backfill`, and what `up` and `down` do about schedules."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.app import conducting
from dirigent.app.conducting import Desk
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.session import around, who
from dirigent.cli.waiting import wait_for
from dirigent.lang.schedule.calendar import stamp
from dirigent.model.plan import Plan
from dirigent.model.stack import Stack
from dirigent.service.schedules import keeping, looking
from dirigent.service.schedules.looking import Range


def pause(options: Options) -> int:
    """Pause a schedule."""
    return wait_for(_pause(around(options), options))


async def _pause(surrounding: Surrounding, options: Options) -> int:
    async with conducting.conducting(surrounding, drive=False) as desk:
        view = await looking.pause(desk, options.text("name"), options.text("reason"), who())
    return _said(view.name, "paused", options)


def resume(options: Options) -> int:
    """Let a schedule go on."""
    return wait_for(_resume(around(options), options))


async def _resume(surrounding: Surrounding, options: Options) -> int:
    async with conducting.conducting(surrounding, drive=False) as desk:
        view = await looking.resume(desk, options.text("name"), options.text("reason"), who())
    return _said(view.name, "active", options)


def _said(name: str, state: str, options: Options) -> int:
    if options.as_json:
        say_json({"name": name, "state": state})
    else:
        say(f"schedule {name} is {state}")
    return Exit.DONE


def backfill(options: Options) -> int:
    """Fill up a range of time."""
    return wait_for(_backfill(around(options), options))


async def _backfill(surrounding: Surrounding, options: Options) -> int:
    span = Range(
        options.text("begin"), options.text("end"), options.flag("again"), options.text("reason"), who()
    )
    async with conducting.conducting(surrounding, drive=False) as desk:
        filled = await looking.backfill(desk, options.text("name"), span)
    if options.as_json:
        say_json({"runs": [{"at": each.at, "run": each.run, "started": each.started} for each in filled]})
    else:
        for each in filled:
            say(f"{stamp(each.at)}  {each.run}  {'started' if each.started else 'ran already'}")
        started = sum(each.started for each in filled)
        note(f"{started} of {len(filled)} started; they go on wherever an engine runs")
    return Exit.DONE


async def kept(desk: Desk, stack: Stack | None, made: Plan) -> None:
    """After a plan was carried out: have the schedules of its stack run, or end them."""
    if made.destroy:
        changes = await keeping.remove(desk, made.stack)
    elif stack is not None:
        changes = await keeping.keep(desk, desk.planner, stack, made.inputs)
    else:
        return
    tell_schedules({each.name: each.what for each in changes})


def tell_schedules(changed: Mapping[str, str]) -> None:
    """Say what became of schedules, by name."""
    for name, what in changed.items():
        note(f"schedule {name}: {what}")
    if any(what != "removed" for what in changed.values()):
        note("  = schedules run while an engine does: `dirigent serve`; see `dirigent schedule next`")
