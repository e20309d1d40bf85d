"""Declares the commands that change the world: `up` and `down`."""

from __future__ import annotations

import click

from dirigent.cli.options import (
    call,
    placed,
    with_inputs,
    with_json,
    with_parts,
    with_selection,
    with_timeout,
)


@click.command()
@click.argument("stored", required=False, metavar="[PLAN]")
@placed
@with_inputs
@with_selection
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait for changes under way that touch the same.")
@with_timeout
@with_json
def up(**options: object) -> int:
    """Plan, ask, apply: bring the world to what the stack declares.

    PLAN applies a stored plan as it was shown, and refuses if the world has changed since. A change
    that a crash left unfinished goes on first.
    """
    return call("change.up", options)


@click.command()
@click.argument("stored", required=False, metavar="[PLAN]")
@placed
@with_inputs
@with_parts
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait for changes under way that touch the same.")
@with_timeout
@with_json
def down(**options: object) -> int:
    """Take everything down, in reverse order. Journals are kept.

    Asks for the name of the stack; PLAN applies a stored plan of `plan --destroy`.
    """
    return call("change.down", options)
