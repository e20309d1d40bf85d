"""Commands that put a person's word into a run: `cancel` and `suspend`."""

from __future__ import annotations

import click

from dirigent import app
from dirigent.cli.exits import Exit
from dirigent.cli.session import around
from dirigent.cli.shell import answering, placed, say, say_json, wait_for, with_json
from dirigent.model.problem import refuse
from dirigent.model.run.journal import CancelRequested, Ended, Fact, Suspended
from dirigent.service import runs


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--reason", default="", help="Why; it is recorded.")
@with_json
@answering
def cancel(run_id: str, *, reason: str, as_json: bool, **options: object) -> int:
    """Stop RUN for good: what is under way is stopped, then the run ends."""
    return wait_for(_tell(run_id, options, reason, cancelling=True, as_json=as_json))


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--reason", default="", help="Why; it is recorded.")
@with_json
@answering
def suspend(run_id: str, *, reason: str, as_json: bool, **options: object) -> int:
    """Stop RUN for a while: what is under way ends, nothing new starts."""
    return wait_for(_tell(run_id, options, reason, cancelling=False, as_json=as_json))


async def _tell(
    run_id: str, options: dict[str, object], reason: str, *, cancelling: bool, as_json: bool
) -> int:
    async with app.conducting(around(options)) as desk:
        found = await runs.find(desk.shelf, run_id)
        if not found.open:
            raise refuse("E4003", f"run `{found.id}` is over: it {found.phase}")
        now = desk.clock.now()
        fact: Fact = CancelRequested(now, reason) if cancelling else Suspended(now, reason)
        await desk.must_conduct.tell(found.id, fact)
        phase = "suspended"
        if cancelling:
            end: Ended = await desk.must_conduct.follow(found.id, lambda *_: None)
            phase = end.phase
    if as_json:
        say_json({"run": found.id, "phase": phase})
    else:
        say(f"run {found.id} is {phase}")
    return Exit.DONE
