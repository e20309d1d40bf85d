"""Declares the command that lists what providers know: `query`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_inputs, with_json


@click.command()
@click.argument("type_name", metavar="TYPE")
@placed
@with_inputs
@click.option("--provider", metavar="NAME", help="The provider of the stack to ask (default: by the prefix).")
@click.option("--with", "wanted", multiple=True, metavar="NAME=VALUE", help="What to list by.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=1000, help="How many (default: 1000).")
@click.option("--write", metavar="FILE", help="Write resources and imports for what is not managed.")
@with_json
def query(**options: object) -> int:
    """List what there is of a TYPE of a provider, managed or not. Nothing is changed."""
    return call("states.querying.query", options)
