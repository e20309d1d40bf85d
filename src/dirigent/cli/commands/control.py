"""Declares the commands by which people steer a run that was begun."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json, with_timeout


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def cancel(**options: object) -> int:
    """Stop RUN for good: what is under way is stopped, then the run ends."""
    return call("control.cancel", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_json
def suspend(**options: object) -> int:
    """Stop RUN for a while: what is under way ends, nothing new starts."""
    return call("control.suspend", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("event", metavar="EVENT")
@placed
@click.option("--data", metavar="JSON", help="What the event says.")
@click.option("--id", "key", metavar="ID", help="The event's id: one with the same id is taken once only.")
@with_json
def signal(**options: object) -> int:
    """Send EVENT to RUN, a workflow in Python that waits for it, or will."""
    return call("control.signal", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option(
    "--from",
    "place",
    metavar="TASK",
    help="From this task: its pointer or name (default: the one that failed).",
)
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_timeout
@with_json
def retry(**options: object) -> int:
    """Have RUN, which failed, go on from a task. What was done before is kept; follows it to its end."""
    return call("control.retry", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("task", metavar="TASK")
@placed
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_timeout
@with_json
def skip(**options: object) -> int:
    """Pass over TASK of RUN: it ends as if its `if` were false. What it has under way is stopped."""
    return call("control.skip", options)


@click.command("set-output")
@click.argument("run_id", metavar="RUN")
@click.argument("task", metavar="TASK")
@placed
@click.option("--value", metavar="JSON", required=True, help="What the work of the task is to have given.")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@with_timeout
@with_json
def set_output(**options: object) -> int:
    """Give TASK of RUN its output by hand: it ends as if its work had given VALUE."""
    return call("control.set_output", options)


@click.command()
@click.argument("run_id", metavar="RUN")
@placed
@click.option("--id", "new", metavar="ID", help="The id of the new run.")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@click.option("--detach", is_flag=True, help="Do not follow the run; print its id.")
@with_timeout
@with_json
def rerun(**options: object) -> int:
    """Run again what RUN was: the same definition, the same input, as a new run."""
    return call("control.rerun", options)
