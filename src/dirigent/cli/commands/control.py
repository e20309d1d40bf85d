"""Declares the commands that put a word into a run from outside: `cancel`, `suspend`, `signal`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def cancel(**options: object) -> int:
    """Stop RUN for good: what is under way is stopped, then the run ends."""
    return call("control.cancel", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def suspend(**options: object) -> int:
    """Stop RUN for a while: what is under way ends, nothing new starts."""
    return call("control.suspend", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("event", metavar="EVENT")
@placed
@click.option("--data", metavar="JSON", help="What the event says.")
@click.option("--id", "key", metavar="ID", help="The event's id: one with the same id is taken once only.")
@with_json
def signal(**options: object) -> int:
    """Send EVENT to RUN, a workflow in Python that waits for it, or will."""
    return call("control.signal", options)
