"""Declares the commands that move runs: `run` starts one, `resume` lets one go on."""

from __future__ import annotations

import click

from dirigent.cli.options import call, placed, with_json, with_timeout


@click.command()
@click.argument("workflow", metavar="WORKFLOW|FILE|FILE.py:NAME")
@placed
@click.option("-i", "--input", "given", multiple=True, metavar="NAME=VALUE", help="One member of the input.")
@click.option("--input-file", metavar="FILE", help="The input, as YAML or JSON; `-` is standard input.")
@click.option(
    "--stack-input", "flags", multiple=True, metavar="NAME=VALUE", help="Give one input of the stack."
)
@click.option("--id", "run_id", metavar="ID", help="The run's id: the same id starts nothing twice.")
@click.option(
    "--doubt",
    type=click.Choice(("hold", "repeat", "skip")),
    help="What becomes of an effect that may or may not have happened (default: `policy.doubt`, else hold).",
)
@click.option("--queue", metavar="NAME", help="Wait for a turn in this queue (default: none).")
@click.option("--priority", type=int, metavar="NUMBER", help="Go before lower ones of the same key.")
@click.option("--key", metavar="TEXT", help="Keys take turns, however much waits for one.")
@click.option("--delay", metavar="TIME", help="Not before so much time has passed, as `10m` or `PT10M`.")
@click.option("--dedupe", metavar="TEXT", help="While a run with it is open there, its id is the answer.")
@click.option("--unique", is_flag=True, help="With --dedupe: refuse instead.")
@click.option("--events", "sink", metavar="TO", help="Where events go: `stdout`, `file:PATH` or a URL.")
@click.option("--detach", is_flag=True, help="Do not follow the run; print its id.")
@with_timeout
@with_json
def run(**options: object) -> int:
    """Start a workflow of the stack, an Open Workflow FILE or one in Python, and follow it to its end."""
    return call("run.run", options)


@click.command()
@click.argument("run_id", required=False, metavar="[RUN]")
@placed
@click.option(
    "--done",
    metavar="[JSON]",
    is_flag=False,
    flag_value="null",
    help="A held effect happened, with this result.",
)
@click.option(
    "--as",
    "names",
    multiple=True,
    metavar="[ADDRESS=]ID",
    help="What a creation in doubt has made stands under this id: look it up. May be repeated.",
)
@click.option("--repeat", is_flag=True, help="Do a held effect again.")
@click.option("--skip", is_flag=True, help="Pass over a held effect.")
@with_timeout
@with_json
def resume(**options: object) -> int:
    """Let a run go on: suspended, held, or left open by a crash. Follows it to its end.

    RUN may be left out when exactly one run is open.
    """
    return call("run.resume", options)
