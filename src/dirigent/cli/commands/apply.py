"""Commands that change the world: `up` and `down`."""

from __future__ import annotations

import asyncio

import click

from dirigent import app
from dirigent.cli import wire
from dirigent.cli.exits import Exit
from dirigent.cli.follow import followed
from dirigent.cli.plan_text import plan_text
from dirigent.cli.run_text import indented
from dirigent.cli.session import Session, opened
from dirigent.cli.shell import answering, ask, note, placed, say, say_json, wait_for, with_inputs, with_json
from dirigent.cli.terminal import out
from dirigent.model.ids import RunId
from dirigent.model.plan import Plan
from dirigent.model.run.journal import Ended
from dirigent.service import plans, runs


@click.command()
@click.argument("stored", required=False, metavar="[PLAN]")
@placed
@with_inputs
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_json
@answering
def up(stored: str | None, *, yes: bool, as_json: bool, **options: object) -> int:
    """Plan, ask, apply: bring the world to what the stack declares. PLAN applies a stored plan."""
    session = opened(options)
    return wait_for(_change(session, stored, destroy=False, yes=yes, as_json=as_json))


@click.command()
@click.argument("stored", required=False, metavar="[PLAN]")
@placed
@with_inputs
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_json
@answering
def down(stored: str | None, *, yes: bool, as_json: bool, **options: object) -> int:
    """Take everything down, in reverse order. Journals are kept."""
    session = opened(options)
    return wait_for(_change(session, stored, destroy=True, yes=yes, as_json=as_json))


async def _change(session: Session, stored: str | None, *, destroy: bool, yes: bool, as_json: bool) -> int:
    async with app.conducting(session.surrounding) as desk:
        await _finish_earlier(desk, as_json=as_json)
        if stored is not None:
            made = await plans.stored(desk.shelf, stored)
        elif destroy:
            made = await desk.planner.plan_destroy(session.stack.name)
        else:
            made = await desk.planner.plan(session.stack, session.inputs)
        if not as_json:
            say(plan_text(made, out()))
        if not made.pending:
            return await _told(desk, session, made, None, as_json=as_json)
        if not yes and not await asyncio.to_thread(ask, "\napply this plan?"):
            note("nothing was touched")
            return Exit.DONE
        run = await plans.apply(
            desk.must_conduct, desk.shelf, made, runs.name_run("down" if destroy else "up")
        )
        end = await followed(desk, run, as_json=as_json)
        return await _told(desk, session, made, (run, end), as_json=as_json)


async def _finish_earlier(desk: app.Desk, *, as_json: bool) -> None:
    """An apply that a crash left open goes on first: its plan was approved."""
    earlier = await plans.unfinished(desk.shelf)
    if earlier is None:
        return
    note(f"resuming {earlier.id}, which was left unfinished")
    await followed(desk, earlier.id, as_json=as_json)


async def _told(
    desk: app.Desk, session: Session, made: Plan, run: tuple[RunId, Ended] | None, *, as_json: bool
) -> int:
    """Show how it ended and what the outputs are now."""
    ended = run[1] if run else None
    good = ended is None or ended.phase == "completed"
    outputs = {}
    if good and not made.destroy:
        outputs = await desk.planner.evaluate(session.stack, session.inputs, session.stack.outputs)
    if as_json:
        say_json(
            {
                "plan": wire.plan(made),
                "run": run[0] if run else None,
                "phase": ended.phase if ended else None,
                "fault": wire.fault(ended.fault) if ended else None,
                "outputs": {name: wire.value(value) for name, value in outputs.items()},
            }
        )
    elif outputs:
        say(f"\noutputs:\n{indented(dict(outputs))}")
    return Exit.DONE if good else Exit.FAILED
