"""Declares the command about events from outside: `emit`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@placed
@click.option("--type", "type_", metavar="TEXT", help="The type of the event, as `com.example.paid`.")
@click.option("--source", metavar="URI", help="Where it comes from (default: `/dirigent/emit`).")
@click.option("--subject", metavar="TEXT", help="What it is about.")
@click.option("--data", metavar="JSON", help="What it says: YAML or JSON, else text.")
@click.option("--id", "key", metavar="ID", help="One of the same source and id is taken once only.")
@click.option("--time", metavar="TIME", help="When it happened (default: now).")
@click.option(
    "-e", "--extension", "extensions", multiple=True, metavar="NAME=VALUE", help="A further attribute."
)
@with_json
def emit(**options: object) -> int:
    """Tell all runs of an event: one by its attributes, or those of FILE (`-`: standard input).

    FILE holds CloudEvents as JSON: one, a list, or one on each line.
    """
    return call("events.emit.emit", options)
