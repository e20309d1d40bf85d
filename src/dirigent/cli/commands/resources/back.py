"""Declares the commands that go back: `revisions` and `rollback`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_inputs, with_json, with_timeout


@click.command()
@placed
@click.option("-n", "--limit", type=int, default=20, help="How many at most (default: 20).")
@with_json
def revisions(**options: object) -> int:
    """List the applies that have ended, newest first: what `rollback` can go back to."""
    return call("states.back.revisions", options)


@click.command()
@placed
@with_inputs
@click.option(
    "--to", metavar="RUN|N", help="To what stood after RUN, or N applies before the last (default: 1)."
)
@click.option("--plan", "only_plan", is_flag=True, help="Show and store the plan; touch nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait for changes under way that touch the same.")
@with_timeout
@with_json
def rollback(**options: object) -> int:
    """Bring back what stood after an earlier apply: plan, ask, apply.

    What was deleted since is made anew with its configuration of then. The stack file is left as it is.
    """
    return call("states.back.rollback", options)
