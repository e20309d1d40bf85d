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
    return call("change.up", options, ahead="warm.asking.begin_up")


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


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("to", metavar="TO")
@placed
@with_inputs
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_timeout
@with_json
def move(**options: object) -> int:
    """Give a resource or an instance another name; what it stands for is not touched.

    Change the stack file too, or say it there under `moved`: then it holds for every state of the stack.
    Where the stack declares another type under TO, the provider of that type takes the object over.
    """
    return call("states.errands.move", options)


@click.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@placed
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_timeout
@with_json
def forget(**options: object) -> int:
    """Let go of resources or instances: they stay in the world and are no longer managed.

    What the stack file still declares is made anew by the next `up`.
    """
    return call("states.errands.forget", options)


@click.command("import")
@click.argument("to", metavar="ADDRESS")
@click.argument("id")
@placed
@with_inputs
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_timeout
@with_json
def import_(**options: object) -> int:
    """Take over what exists under ID as a resource or an instance that the stack declares.

    It is not changed: `dirigent plan` shows what differs from the declaration.
    """
    return call("states.errands.take_over", options)
