"""Declares the commands about the installation and its store: `prune`, `import-run`, `doctor`, `version`."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.command()
@placed
@click.option("--older-than", "older", metavar="AGE", help="Ended so long ago, as 30d.")
@click.option("--keep", type=click.IntRange(min=0), metavar="NUMBER", help="Keep the newest ended runs.")
@click.option("--events", metavar="AGE", help="Events that arrived so long ago, as 7d.")
@click.option("--drop-sink", "sink", metavar="NAME", help="Forget a sink, and what waits for it.")
@click.option("--dry-run", "dry", is_flag=True, help="Only count them.")
@click.option("--vacuum", is_flag=True, help="Write the file anew, without gaps.")
@with_json
def prune(**options: object) -> int:
    """Remove runs that have ended, and events, that are past their time. Open runs and resources stay."""
    return call("keeping.prune", options)


@click.command("import-run")
@click.argument("file", metavar="FILE")
@placed
@click.option("--adopt", is_flag=True, help="Also a run that has not ended: the next engine drives it on.")
@with_json
def import_run(**options: object) -> int:
    """Take a run from FILE, as `show --export` wrote it, into this store."""
    return call("keeping.import_run", options)


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
