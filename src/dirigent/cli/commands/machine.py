"""Commands about the installation: `doctor`, `version`."""

from __future__ import annotations

import click

from dirigent import __version__
from dirigent.cli import doctor as examination
from dirigent.cli.exits import Exit
from dirigent.cli.session import place
from dirigent.cli.shell import answering, placed, say, say_json, with_json
from dirigent.cli.terminal import out

_TINTS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@placed
@with_json
@answering
def doctor(*, as_json: bool, **options: object) -> int:
    """Show what is missing on this machine, and the remedy."""
    found = examination.examine(place(options).settings)
    failed = sum(check.status == "fail" for check in found)
    warned = sum(check.status == "warn" for check in found)
    if as_json:
        say_json({"checks": [examination.wire(check) for check in found]})
    else:
        terminal = out()
        for check in found:
            status = terminal.paint(f"{check.status:<5}", _TINTS[check.status])
            remedy = f"\n        -> {check.remedy}" if check.remedy else ""
            say(f" {status} {check.id}  {check.found}{remedy}")
        say(f"{failed} failed, {warned} warnings")
    return Exit.FAILED if failed else Exit.DONE


@click.command()
@with_json
def version(*, as_json: bool) -> int:
    """Print the version."""
    if as_json:
        say_json({"version": __version__})
    else:
        say(f"dirigent {__version__}")
    return Exit.DONE
