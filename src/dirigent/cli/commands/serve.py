"""Declares the commands about engines and stores: `serve`, `store copy`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@placed
@click.option(
    "--events", "events", metavar="HOST:PORT", help="Take CloudEvents in over HTTP at this address."
)
@click.option(
    "--events-token",
    "token",
    metavar="TOKEN",
    envvar="DIRIGENT_EVENTS_TOKEN",
    help="Take them only from who sends this token.",
)
def serve(**options: object) -> int:
    """Run an engine until SIGTERM. On a database it shares the runs with the engines that there are."""
    return call("stores.serve.serve", options)


@click.group()
def store() -> None:
    """Move a store."""


@store.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@with_json
def copy(**options: object) -> int:
    """Copy a store, whole and verified, to an empty place: FROM and TO are state folders or URLs."""
    return call("stores.copy.copy", options)
