"""Declares the commands about what is managed."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_inputs, with_json, with_timeout


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


@state.command("import")
@click.argument("file", metavar="FILE")
@placed
@with_inputs
@click.option(
    "--as",
    "names",
    multiple=True,
    metavar="TYPE.NAME=OURS",
    help="Take a resource under another name. May be repeated.",
)
@click.option(
    "--undeclared", is_flag=True, help="Also take what the stack does not declare; the next plan deletes it."
)
@click.option("--replace", "replacing", is_flag=True, help="Let it take the place of what is known here.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_timeout
@with_json
def import_(**options: object) -> int:
    """Take what a state of Terraform manages. FILE may be `-`; nothing in the world is touched."""
    return call("states.moving.taken", options)


@state.command()
@click.argument("file", metavar="[FILE]", required=False)
@placed
@click.option(
    "--registry", metavar="HOST", help="Write this host in place of that of a public registry of providers."
)
@click.option(
    "--as",
    "names",
    multiple=True,
    metavar="TYPE.NAME=OURS",
    help="Give one of our resources another name. May be repeated.",
)
@click.option("--replace", "replacing", is_flag=True, help="Let the file lose what is not managed here.")
@with_json
def export(**options: object) -> int:
    """Write a state that Terraform reads, with every value in clear (default: terraform.tfstate)."""
    return call("states.moving.given", options)
