"""Declares `test`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path())
@placed
@click.option("-k", "part", metavar="TEXT", help="Only tests whose name holds this text.")
@click.option("--junit", metavar="FILE", help="Write a JUnit report for a build server, too.")
@click.option(
    "--update",
    is_flag=True,
    help="Write what came into `output` and `context` of tests that fail for no more.",
)
@click.option("--record", metavar="RUN", help="Print a test file that plays a run again, which has ended.")
@click.option("--to", metavar="FILE", help="Write what `--record` makes to a file; its paths start there.")
@with_json
def test(**options: object) -> int:
    """Play the tests of workflows in FILE...: scripted answers, virtual time. Nothing is touched."""
    return call("trials.test", options)
