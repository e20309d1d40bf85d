"""Declares the commands about the installation: `doctor`, `version`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@placed
@with_json
def doctor(**options: object) -> int:
    """Show what is missing on this machine, and the remedy."""
    return call("machine.doctor", options)


@click.command()
@with_json
def version(**options: object) -> int:
    """Print the version."""
    return call("version.version", options)
