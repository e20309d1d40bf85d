"""Declares the commands about schedules."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json


@click.group()
def schedule() -> None:
    """What runs by itself: list it, look ahead, pause it, fill up what was missed."""


@schedule.command("list")
@placed
@with_json
def list_(**options: object) -> int:
    """List the schedules that are active, and when each comes next."""
    return call("schedules.listing.listed", options)


@schedule.command("next")
@click.argument("name", metavar="[NAME]", required=False)
@placed
@click.option("--count", type=click.IntRange(1, 1000), default=5, help="So many times (5).")
@with_json
def next_(**options: object) -> int:
    """Show the next times of NAME, or of all, and why one will be passed over."""
    return call("schedules.listing.coming", options)


@schedule.command()
@click.argument("name", metavar="NAME")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def pause(**options: object) -> int:
    """Let nothing of NAME begin until it is resumed."""
    return call("schedules.steering.pause", options)


@schedule.command()
@click.argument("name", metavar="NAME")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def resume(**options: object) -> int:
    """Let NAME go on; times that passed meanwhile are left out, events that came are not."""
    return call("schedules.steering.resume", options)


@schedule.command()
@click.argument("name", metavar="NAME")
@placed
@click.option(
    "--from", "begin", metavar="TIME", required=True, help="The first time, as `2026-11-23T03:00:00Z`."
)
@click.option("--to", "end", metavar="TIME", required=True, help="The last time.")
@click.option("--again", is_flag=True, help="Also what ran already, as new runs.")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def backfill(**options: object) -> int:
    """Start the runs of NAME for a range of time; what ran already is not started again."""
    return call("schedules.steering.backfill", options)
