"""The work of `plan` and `drift`. They change nothing."""

from __future__ import annotations

from contextlib import suppress

from dirigent.app.planning import planning
from dirigent.app.seat import keep_plan
from dirigent.app.stacks import Surrounding
from dirigent.cli import wire
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import around, leaving, opened, refuse_selection, selection
from dirigent.cli.text.plans import drift_text, next_step, plan_text
from dirigent.cli.text.terminal import out
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.warm.asking import Engine, engine_of
from dirigent.model.plan import OnFailure, Plan
from dirigent.planning.safety.undoing import losses
from dirigent.service import changes
from dirigent.service.changes import Aim
from dirigent.service.conductor import HolderGone
from dirigent.service.plans import How
from dirigent.service.safety.leases import applies_of


def plan(options: Options) -> int:
    """Show what would change, or a stored plan again."""
    if options.text("stored"):
        return wait_for(_stored(options))
    asked = None if options.flag("destroy") else engine_of(options)
    if asked is not None:
        with suppress(HolderGone):  # Without it the plan is the same, and only takes longer.
            return wait_for(_asked(asked[1], options))
    return wait_for(_planned(*_aimed(options), options))


async def _asked(engine: Engine, options: Options) -> int:
    return shown((await engine.plan()).planned, options)


def _aimed(options: Options) -> tuple[Surrounding, Aim]:
    if options.flag("destroy"):
        surrounding, inputs = leaving(options)
        stack = surrounding.stack
        how = How(selection=selection(options))
        return surrounding, Aim(stack.name if stack else "", stack, inputs, destroy=True, how=how)
    session = opened(options)
    how = How(not options.flag("no_refresh"), selection(options))
    return session.surrounding, Aim(session.stack.name, session.stack, session.inputs, how=how)


async def _planned(surrounding: Surrounding, aim: Aim, options: Options) -> int:
    async with planning(surrounding) as board:
        made = await changes.proposed(board.planner, await changes.named(board.shelf, aim))
        known = await applies_of(board.shelf).has_plan(made.id)
    if made.pending and not known:
        # Only now, and only for this, may the store be made or written to.
        await keep_plan(surrounding.settings, made)
    return shown(made, options)


async def _stored(options: Options) -> int:
    refuse_selection(options)
    async with planning(around(options)) as board:
        made = await changes.stored(board.shelf, options.text("stored"))
        if not options.as_json:
            say(plan_text(made, out(), full=options.flag("full")))
        await changes.check_fresh(board.shelf, made)
    return _exit(made, options) if not options.as_json else shown(made, options)


def shown(made: Plan, options: Options) -> int:
    """Show a plan and how it is carried out; return the exit code."""
    if options.as_json:
        say_json(plan_json(made))
    else:
        say(plan_text(made, out(), full=options.flag("full")))
        if made.pending:
            say(next_step(made, full=options.flag("full")))
    return _exit(made, options)


def _exit(made: Plan, options: Options) -> int:
    if made.pending and options.flag("detailed_exitcode"):
        return Exit.USAGE
    return Exit.CHANGES if made.pending and options.flag("check") else Exit.DONE


def drift(options: Options) -> int:
    """Show what differs from what was applied."""
    session = opened(options)
    aim = Aim(session.stack.name, session.stack, session.inputs)
    return wait_for(_drift(session.surrounding, aim, options))


async def _drift(surrounding: Surrounding, aim: Aim, options: Options) -> int:
    async with planning(surrounding) as board:
        found = await changes.drifted(board.planner, aim)
    if options.as_json:
        say_json({"drifted": [wire.change(each) for each in found]})
    else:
        say(drift_text(found, out()))
    return Exit.CHANGES if options.flag("check") and found else Exit.DONE


def plan_json(made: Plan) -> dict[str, Json]:
    """Return a plan for programs, with what becomes of it when a step fails."""
    back = made.policy.on_failure is OnFailure.COMPENSATE
    lost: list[Json] = [
        {"address": each.address, "action": each.action, "why": each.why, "stays": each.whole}
        for each in (losses(made) if back else ())
    ]
    return {
        **wire.plan(made),
        "onFailure": made.policy.on_failure.value,
        "notTakenBack": lost,
        "rollback": made.rollback,
    }
