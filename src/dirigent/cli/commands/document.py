"""Declares the commands about documents: `init`, `check`, `schema`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_inputs, with_json


@click.command()
@click.argument("directory", default=".", type=click.Path(file_okay=False))
@click.option("--name", metavar="NAME", help="The name of the stack (default: that of the folder).")
@with_json
def init(**options: object) -> int:
    """Write a new stack into DIRECTORY (default: here). Nothing that exists is overwritten."""
    return call("document.init", options)


@click.command()
@click.argument("file", required=False, type=click.Path())
@placed
@with_inputs
@with_json
def check(**options: object) -> int:
    """Check FILE: a stack, or a naked Open Workflow document. Nothing is touched."""
    return call("document.check", options)


@click.command()
@click.option(
    "--of",
    "what",
    default="stack",
    metavar="NAME",
    help="`stack` (default), `test-file`, `problems`, or a command.",
)
@with_json
def schema(**options: object) -> int:
    """Print a JSON Schema: of the stack file for editors, or of what a command prints with --json."""
    return call("document.schema", options)
