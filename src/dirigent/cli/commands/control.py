"""Declares the commands that put a person's word into a run: `cancel` and `suspend`."""

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
