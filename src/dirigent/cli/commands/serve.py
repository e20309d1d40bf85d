"""Declares the commands about engines and stores: `serve`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed


@click.command()
@placed
def serve(**options: object) -> int:
    """Run an engine until SIGTERM. On a database it shares the runs with the engines that there are."""
    return call("stores.serve.serve", options)
