"""Declares the commands about documents: `init`, `check`, `schema`, `explain`."""

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
@placed
@with_json
def schema(**options: object) -> int:
    """Print a JSON Schema: of the stack file for editors, or of what a command prints with --json."""
    return call("document.schema", options)


@click.command()
@click.argument("what", required=False, metavar="[TYPE[.PATH]]")
@placed
@with_json
def explain(**options: object) -> int:
    """Tell of the types of a stack: all of them, TYPE with its properties, or the part at PATH.

    The types are those of Dirigent and of the providers that the stack declares. A PROVIDER by its name tells
    of its own configuration.
    """
    return call("types.explain", options)
