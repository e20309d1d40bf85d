"""The work of `revisions` and `rollback`."""

from __future__ import annotations

from datetime import UTC, datetime

from dirigent.app import conducting
from dirigent.app.looking import looking
from dirigent.app.planning import planning
from dirigent.app.seat import keep_plan
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.place import place
from dirigent.cli.session import Session, opened
from dirigent.cli.text.terminal import columns, padded
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.change import carried_out, finish_earlier, waited
from dirigent.cli.work.plan import shown
from dirigent.model.plan import Plan
from dirigent.service.plans import Planner
from dirigent.service.safety import rollback as back
from dirigent.service.safety.rollback import Revision


def revisions(options: Options) -> int:
    """List what there is to go back to."""
    return wait_for(_revisions(options))


async def _revisions(options: Options) -> int:
    limit = int(options.number("limit") or 0)
    async with looking(place(options).settings) as reader:
        found = await back.revisions(reader.shelf, reader.journal, limit)
    if options.as_json:
        listed: list[Json] = [_revision_json(each) for each in found]
        say_json({"revisions": listed})
    elif not found:
        say("nothing was applied here yet")
    else:
        width = max(columns(each.run.id) for each in found)
        for ago, each in enumerate(found):
            say(_line(ago, each, width))
    return Exit.DONE


def _line(ago: int, found: Revision, width: int) -> str:
    ended = datetime.fromtimestamp(found.run.ended_at or 0.0, UTC).strftime("%Y-%m-%d %H:%M:%S")
    words = ", ".join(f"{number} {word}" for word, number in found.counts.items()) or "nothing"
    gone = f"  (back to {found.rollback})" if found.rollback else ""
    return f"{ago:>3}  {padded(found.run.id, width)}  {ended}  {padded(found.run.phase, 9)}  {words}{gone}"


def _revision_json(found: Revision) -> dict[str, Json]:
    run = found.run
    counts: dict[str, Json] = {**found.counts}
    return {
        "run": run.id,
        "phase": run.phase,
        "createdAt": run.created_at,
        "endedAt": run.ended_at,
        "plan": found.plan,
        "changes": counts,
        "rollback": found.rollback,
    }


def rollback(options: Options) -> int:
    """Go back."""
    session = opened(options)
    if options.flag("only_plan"):
        return wait_for(_planned(session, options))
    return wait_for(_back(session, options))


async def _planned(session: Session, options: Options) -> int:
    async with planning(session.surrounding) as board:
        made = await _plan(board.planner, session, options)
        known = await board.shelf.plan(made.id) is not None
    if made.pending and not known:
        await keep_plan(session.surrounding.settings, made)
    return shown(made, options)


async def _back(session: Session, options: Options) -> int:
    async with conducting.conducting(session.surrounding) as desk:
        await finish_earlier(desk, session.surrounding, options)

        async def propose() -> Plan:
            return await _plan(desk.planner, session, options)

        made = await waited(desk, propose, options)
        code = await carried_out(desk, session.surrounding, made, options)
        if made.pending and not options.as_json:
            note("the stack file is as it was: `dirigent up` would bring back what it declares")
        return code


async def _plan(planner: Planner, session: Session, options: Options) -> Plan:
    to = await back.revision(planner.shelf, options.text("to"))
    return await back.plan_back(planner, session.stack, session.inputs, to)
