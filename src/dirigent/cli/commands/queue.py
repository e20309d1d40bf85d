"""Declares the commands about queues: `queues` and `worker`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@placed
@with_json
def queues(**options: object) -> int:
    """List the queues: what waits, what is under way, and their limits."""
    return call("queues.queues", options)


@click.command()
@placed
@click.option("--connect", metavar="SOCKET", help="The engine's socket (default: that of the state here).")
@click.option(
    "--queue", multiple=True, metavar="NAME", help="Take steps of this queue only. May be repeated."
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=1024),
    metavar="NUMBER",
    help="So many steps at a time, each in a process of its own (default: one a processor).",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Leave when no engine has come for so long (default: wait for ever).",
)
@click.option("--quiet", is_flag=True, help="Say nothing.")
def worker(**options: object) -> int:
    """Do Python steps outside the engine, until stopped. The steps are found in the folder of `-C`."""
    return call("queues.worker", options)
