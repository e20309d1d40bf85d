"""Commands that look ahead: `plan` and `drift`. They change nothing."""

from __future__ import annotations

import click

from dirigent import app
from dirigent.cli import wire
from dirigent.cli.exits import Exit
from dirigent.cli.plan_text import drift_text, next_step, plan_text
from dirigent.cli.session import Session, opened
from dirigent.cli.shell import answering, placed, say, say_json, wait_for, with_inputs, with_json
from dirigent.cli.terminal import out
from dirigent.planning.destroy import drift as drifted
from dirigent.service import plans


@click.command()
@click.argument("stored", required=False, metavar="[PLAN]")
@placed
@with_inputs
@click.option("--destroy", is_flag=True, help="Plan to take everything down.")
@click.option("--full", is_flag=True, help="List every difference and every new instance.")
@click.option("--no-refresh", is_flag=True, help="Do not look at the world; take it as it was applied.")
@click.option("--detailed-exitcode", is_flag=True, help="Answer 2 when there are changes, as Terraform does.")
@with_json
@answering
def plan(stored: str | None, *, as_json: bool, **options: object) -> int:
    """Show what would change, in which order and why; or show a stored PLAN again."""
    session = opened(options)
    return wait_for(_plan(session, stored, options, as_json=as_json))


async def _plan(session: Session, stored: str | None, options: dict[str, object], *, as_json: bool) -> int:
    if stored is not None:
        async with app.looking(session.surrounding) as desk:
            made = await plans.stored(desk.shelf, stored)
    else:
        async with app.conducting(session.surrounding, drive=False) as desk:
            if options["destroy"]:
                made = await desk.planner.plan_destroy(session.stack.name)
            else:
                made = await desk.planner.plan(
                    session.stack, session.inputs, refresh=not options["no_refresh"]
                )
            await plans.keep(desk.must_conduct, desk.shelf, made)
    if as_json:
        say_json(wire.plan(made))
    else:
        say(plan_text(made, out(), full=bool(options["full"])))
        if made.pending:
            say(f"\n{next_step(made)}      full: dirigent plan {made.id} --full")
    return Exit.USAGE if options["detailed_exitcode"] and made.pending else Exit.DONE


@click.command()
@placed
@with_inputs
@click.option("--check", is_flag=True, help="Answer 5 when something drifted.")
@with_json
@answering
def drift(*, check: bool, as_json: bool, **options: object) -> int:
    """Show what differs from what was applied."""
    session = opened(options)
    return wait_for(_drift(session, check=check, as_json=as_json))


async def _drift(session: Session, *, check: bool, as_json: bool) -> int:
    async with app.looking(session.surrounding) as desk:
        found = drifted(await desk.planner.plan(session.stack, session.inputs))
    if as_json:
        say_json({"drifted": [wire.change(each) for each in found]})
    else:
        say(drift_text(found, out()))
    return Exit.CHANGES if check and found else Exit.DONE
