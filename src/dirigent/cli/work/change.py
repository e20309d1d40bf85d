"""The work of `up` and `down`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from dirigent.app import conducting
from dirigent.app.conducting import Desk
from dirigent.app.stacks import Surrounding
from dirigent.cli import wire
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.place import Place
from dirigent.cli.session import around, leaving, opened, refuse_selection, selection, who
from dirigent.cli.text.checks import check_lines
from dirigent.cli.text.plans import plan_text
from dirigent.cli.text.runs import ended_text, fault_text, indented, left_out_lines
from dirigent.cli.text.terminal import err, out
from dirigent.cli.waiting import confirmed, wait_for
from dirigent.cli.work.following import followed
from dirigent.cli.work.plan import plan_json
from dirigent.cli.work.schedules.steering import kept, tell_schedules
from dirigent.cli.work.warm.asking import Engine, engine_of, surrounding_of
from dirigent.model.ids import RunId
from dirigent.model.plan import OnFailure, Plan
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended
from dirigent.model.values import Value
from dirigent.service import changes
from dirigent.service.changes import Aim
from dirigent.service.conductor import HolderGone
from dirigent.service.plans import How
from dirigent.service.safety.leases import held, holders
from dirigent.service.views.checks import of_plan, of_run


def up(options: Options) -> int:
    """Bring the world to what the stack declares."""
    if options.text("stored"):
        if options.many("flags") or options.many("files"):
            raise refuse(
                "E7007", "a stored plan has its inputs already", "leave them out, or make a new plan"
            )
        refuse_selection(options)
        surrounding, aim = around(options), Aim("", stored=options.text("stored"))
    else:
        asked = engine_of(options)
        if asked is not None:
            try:
                return wait_for(_asked(*asked, options))
            except HolderGone:
                note("the engine has ended: going on without it")
        session = opened(options)
        surrounding = session.surrounding
        how = How(selection=selection(options))
        aim = Aim(session.stack.name, session.stack, session.inputs, how=how)
    return wait_for(changed(surrounding, aim, options))


def down(options: Options) -> int:
    """Take everything down; also when the stack file is broken by now, or gone."""
    stored = options.text("stored")
    if stored:
        refuse_selection(options)
    surrounding, inputs = leaving(options)
    stack, how = surrounding.stack, How(selection=selection(options))
    aim = Aim(stack.name if stack else "", stack, inputs, stored=stored, destroy=True, how=how)
    return wait_for(changed(surrounding, aim, options))


async def changed(surrounding: Surrounding, aim: Aim, options: Options) -> int:
    """Propose, ask, apply, and tell how it ended: the whole of an aim."""
    async with conducting.conducting(surrounding) as desk:
        await finish_earlier(desk, surrounding, options)
        aim = await changes.named(desk.shelf, aim)
        if aim.how.errand is not None:
            # What the stack declares is another matter: neither outputs nor schedules change.
            surrounding = replace(surrounding, stack=None)

        async def propose() -> Plan:
            return await changes.proposed(desk.planner, aim)

        made = await waited(desk, propose, options)
        if aim.stored:
            await changes.check_fresh(desk.shelf, made)
        return await carried_out(desk, surrounding, made, options)


async def carried_out(desk: Desk, surrounding: Surrounding, made: Plan, options: Options) -> int:
    """Show a plan, ask, apply it, and tell how it ended."""
    return await _carried_out(Alone(desk, surrounding), desk, made, options)


async def _asked(where: Place, engine: Engine, options: Options) -> int:
    """Do the work of `up` with an engine that plans, and carries the plan out."""
    async with conducting.visiting(surrounding_of(where, options)) as desk:
        for line in left_out_lines(await desk.conductor.left_out()):
            note(line)
        by = Asked(engine)
        return await _carried_out(by, desk, await waited(desk, by.propose, options), options)


class Doing(Protocol):
    """Who carries a plan out: this process, as engine or client of one, or an engine that was asked."""

    def check(self, made: Plan) -> None:
        """Raise `Refusal` (E6001, E5075) unless there is now what a plan needs of secrets and providers."""
        ...

    async def begin(self, made: Plan, by: str) -> RunId:
        """Start the run that carries a plan out."""
        ...

    async def settle(self, made: Plan, end: Ended | None) -> dict[str, Value]:
        """Do what is left when it has ended, and return the outputs."""
        ...


@dataclass(frozen=True, slots=True)
class Alone:
    """This process has read the stack and made the plan."""

    desk: Desk
    surrounding: Surrounding

    def check(self, made: Plan) -> None:
        """Look for the secrets."""
        changes.check_secrets(self.desk.vault, self.desk.planner.language, made)

    async def begin(self, made: Plan, by: str) -> RunId:
        """Start the run."""
        return await changes.apply(self.desk, made, by)

    async def settle(self, made: Plan, end: Ended | None) -> dict[str, Value]:
        """Keep the schedules, and return the outputs."""
        if end is None or end.phase == "completed":
            await kept(self.desk, self.surrounding.stack, made)
        return await changes.outputs(self.desk.planner, self.surrounding.stack, made, end)


@dataclass(slots=True)
class Asked:
    """An engine that runs has read the stack and made the plan. Everything may raise `HolderGone`."""

    engine: Engine
    _lacking: tuple[Problem, ...] = ()

    async def propose(self) -> Plan:
        """Have the plan made."""
        answer = await self.engine.plan(secrets=True)
        self._lacking = answer.lacking
        return answer.planned

    def check(self, made: Plan) -> None:
        """Refuse what the engine, which will need them, lacks of secrets and providers."""
        if self._lacking and made.pending:
            raise Refusal(self._lacking)

    async def begin(self, made: Plan, by: str) -> RunId:
        """Have the run started."""
        return await self.engine.carry(made, by)

    async def settle(self, made: Plan, end: Ended | None) -> dict[str, Value]:
        """Have the schedules kept, and the outputs told."""
        left = await self.engine.settle(made, end.phase if end is not None else "")
        tell_schedules(left.schedules)
        return left.outputs


async def _carried_out(by: Doing, desk: Desk, made: Plan, options: Options) -> int:
    if not options.as_json:
        say(plan_text(made, out()))
    if not made.pending:
        return await _told(desk, made, await by.settle(made, None), options)
    by.check(made)
    if not await _agreed(made, options):
        note("nothing was touched")
        return Exit.DONE
    run = await by.begin(made, f"{who()}@{os.uname().nodename}")
    end = await followed(desk, run, quiet=options.as_json, seconds=options.number("timeout"))
    return await _told(desk, made, await by.settle(made, end), options, (run, end))


async def waited(desk: Desk, propose: Callable[[], Awaitable[Plan]], options: Options) -> Plan:
    """Return a plan that meets no other apply; with `--wait`, one that is made when those have ended."""
    while True:
        made = await propose()
        met = await holders(desk, made)
        if not met:
            return made
        if not options.flag("wait"):
            raise held(met[0])
        for each in met:
            note(f"waiting for {each.run.id}, which holds {', '.join(each.what[:3])}")
            await _over(desk, each.run.id, options.number("timeout"))


async def _over(desk: Desk, run: RunId, seconds: float | None) -> None:
    """Return when a run has ended. Raises `Refusal` (E4016) when the time is over before."""
    try:
        async with asyncio.timeout(seconds):
            await desk.conductor.wait(run)
    except TimeoutError:
        raise refuse(
            "E4016",
            f"run `{run}` was not over in time, so nothing was begun",
            "wait longer, or see what it does with `dirigent show " + run + "`",
        ) from None


async def _agreed(made: Plan, options: Options) -> bool:
    if options.flag("yes"):
        return True
    if options.as_json:
        raise refuse("E7005", "nobody is asked with `--json`", "add `--yes`; nothing was touched")
    if made.destroy:
        what = "what the plan lists" if made.selection.partial else "everything"
        question = f"\nThis takes {what} down. Type the name of the stack (`{made.stack}`) to go on: "
        return await confirmed(question, made.stack)
    return await confirmed("\nApply this plan? [y/N] ")


async def finish_earlier(desk: Desk, surrounding: Surrounding, options: Options) -> None:
    """What a crash left open goes on first, where nobody else can be at it: its plan was approved."""
    for line in left_out_lines(await desk.conductor.left_out()):
        note(line)
    alone = desk.crew is not None and surrounding.settings.database is None
    for earlier in await changes.unfinished(desk.shelf) if alone else ():
        note(f"resuming {earlier.id}, which was left unfinished")
        await followed(desk, earlier.id, quiet=options.as_json, seconds=options.number("timeout"))


async def _told(
    desk: Desk,
    made: Plan,
    outputs: dict[str, Value],
    options: Options,
    run: tuple[RunId, Ended] | None = None,
) -> int:
    """Show how it ended and what the outputs are now."""
    end = run[1] if run else None
    # A long journal is not read again for nothing.
    checks = of_run(await desk.journal.read(run[0])) if run is not None and of_plan(made) else ()
    if options.as_json:
        say_json(
            {
                "plan": plan_json(made),
                "run": run[0] if run else None,
                "phase": end.phase if end else None,
                "fault": wire.fault(end.fault) if end else None,
                "outputs": {name: wire.value(value) for name, value in outputs.items()},
                "checks": [wire.check(each) for each in checks],
            }
        )
        return Exit.DONE if end is None or end.phase == "completed" else Exit.FAILED
    if any(each.holds is False for each in checks):
        say("\n".join(check_lines(checks, out())))
    if outputs:
        say(f"\noutputs:\n{indented(dict(outputs))}")
    if end is None or run is None or end.phase == "completed":
        return Exit.DONE
    note(fault_text(end.fault, err()) if end.fault else ended_text(run[0], end))
    note(f"  = look closer with: dirigent show {run[0]}")
    back = made.policy.on_failure is OnFailure.COMPENSATE
    note(f"  = mend the cause, then: dirigent up{'' if back else ' (what was done is kept)'}")
    return Exit.FAILED
