"""Declares the commands that look ahead: `plan` and `drift`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_inputs, with_json, with_selection


@click.command()
@click.argument("stored", required=False, metavar="[PLAN]")
@placed
@with_inputs
@with_selection
@click.option("--destroy", is_flag=True, help="Plan to take everything down.")
@click.option("--full", is_flag=True, help="List every change and every difference.")
@click.option("--no-refresh", is_flag=True, help="Do not look at the world; take it as it was applied.")
@click.option("--check", is_flag=True, help="Answer 5 when there are changes.")
@click.option("--detailed-exitcode", is_flag=True, help="Answer 2 when there are changes, as Terraform does.")
@with_json
def plan(**options: object) -> int:
    """Show what would change, in which order and why. Nothing is touched.

    PLAN shows a stored plan again, and answers 8 if the world has changed since.
    """
    return call("plan.plan", options, ahead="warm.asking.begin_plan")


@click.command()
@placed
@with_inputs
@click.option("--check", is_flag=True, help="Answer 5 when something drifted.")
@with_json
def drift(**options: object) -> int:
    """Show what differs from what was applied. Nothing is touched."""
    return call("plan.drift", options)
