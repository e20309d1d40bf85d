"""Declares the commands that look and change nothing: `ps`, `show`, `events`, `logs`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@placed
@click.option("-a", "--all", "every", is_flag=True, help="Finished runs, too.")
@click.option(
    "-n",
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="At most so many runs.",
)
@with_json
def ps(**options: object) -> int:
    """List runs that are not over, and resources."""
    return call("look.ps", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--export", metavar="FILE", help="Write the run, whole, to a file for another store.")
@click.option("--whole", is_flag=True, help="Show large values whole.")
@click.option("--output", metavar="FILE", help="Write the output of the run to FILE, also a large one.")
@with_json
def show(**options: object) -> int:
    """Show one run. RUN is an id, the beginning of one, or a workflow's name for its newest."""
    return call("show.show", options)


@click.command()
@click.argument("run_id", required=False, metavar="[RUN]")
@placed
@click.option("--type", "types", multiple=True, metavar="PATTERN", help="Only of this type; `*`: any text.")
@click.option("--source", "sources", multiple=True, metavar="PATTERN", help="Only from this source.")
@click.option("--since", metavar="AGE|TIME", help="Only what arrived since, as 10m.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes.")
@click.option(
    "-n",
    "--lines",
    default=100,
    show_default=True,
    type=click.IntRange(min=0),
    metavar="NUMBER",
    help="The last so many.",
)
@click.option("--sinks", is_flag=True, help="Where events go, and how many wait.")
@with_json
def events(**options: object) -> int:
    """Show the log of events; of RUN its facts. One a line; with --json, one JSON object a line."""
    return call("events.listing.events", options)


@click.command()
@click.argument("service", metavar="SERVICE")
@placed
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, across restarts.")
@click.option(
    "-n",
    "--lines",
    default=100,
    show_default=True,
    type=click.IntRange(min=0),
    metavar="NUMBER",
    help="So many lines from before.",
)
@with_json
def logs(**options: object) -> int:
    """Show the output of SERVICE, all of its replicas, oldest first; with --json, one object a line."""
    return call("look.logs", options)
