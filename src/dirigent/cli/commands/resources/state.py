"""Declares the commands about what is managed."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.group()
def state() -> None:
    """What is managed: list it, show it, its history, and its way from Terraform and back."""


@state.command("list")
@placed
@with_json
def list_(**options: object) -> int:
    """List every instance that is managed, also what a replacement has left behind."""
    return call("states.looking.listed", options)


@state.command()
@click.argument("address", metavar="ADDRESS")
@placed
@with_json
def show(**options: object) -> int:
    """Show one instance: its attributes, and what it needs. Sensitive values are not shown."""
    return call("states.looking.shown", options)


@state.command()
@click.argument("address", metavar="ADDRESS")
@placed
@with_json
def history(**options: object) -> int:
    """Show what an instance was and is: when it changed, by which run, and what of it."""
    return call("states.looking.history", options)
