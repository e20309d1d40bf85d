"""The entry: a table of commands, and the exit code of whatever happens.

Rule: nothing heavy is imported before a command does its work; `tests/cli/test_start.py` holds the list.
"""

from __future__ import annotations

import gc
import importlib
import keyword
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import click

from dirigent import __version__

# Name, module, and the line that help shows: kept here so that `--help` imports none of them.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("apply", "Plan, ask, apply. Resumes what a crash left."),
    "plan": ("plan", "Show what would change, in which order and why."),
    "run": ("run", "Start a workflow, or a workflow file, and follow it."),
    "ps": ("look", "List runs and resources."),
    "logs": ("look", "Show the output of a service."),
    "worker": ("queue", "Do Python steps outside the engine."),
    "down": ("apply", "Take everything down, in reverse order."),
    "init": ("document", "Write a new stack from a template."),
    "check": ("document", "Is the document right? Every error with its place."),
    "test": ("test", "Play the tests of workflows: scripted answers, virtual time."),
    "explain": ("document", "Tell of the types of a stack, and of their properties."),
    "schema": ("document", "Print the JSON Schema of a stack file, or of an answer."),
    "import": ("apply", "Take over what exists already as a resource."),
    "move": ("apply", "Give a resource another name without touching it."),
    "forget": ("apply", "Let go of a resource: it stays, and is no longer managed."),
    "show": ("look", "Show one run: its tasks, their attempts, its result."),
    "events": ("look", "Show the log of events, or the facts of a run."),
    "queues": ("queue", "List the queues, with what waits in them."),
    "query": ("resources.query", "List what a provider knows of a type, managed or not."),
    "state": ("resources.state", "What is managed, its history; to and from Terraform's state."),
    "revisions": ("resources.back", "List the applies that have ended: what to go back to."),
    "rollback": ("resources.back", "Bring back what stood after an earlier apply."),
    "drift": ("plan", "Show what differs from what was applied."),
    "providers": ("resources.providers", "Lock, mirror and list the providers of a stack; show schemas."),
    "resume": ("run", "Let a run go on: suspended, held, or left by a crash."),
    "suspend": ("control", "Stop a run for a while."),
    "cancel": ("control", "Stop a run for good."),
    "signal": ("control", "Send an event to one run in Python that waits for it."),
    "emit": ("event", "Tell all runs of an event."),
    "retry": ("control", "Have a run that failed go on from a task."),
    "skip": ("control", "Pass over a task of a run."),
    "set-output": ("control", "Give a task of a run its output by hand."),
    "rerun": ("control", "Run again with the same input, as a new run."),
    "schedule": ("schedule", "What runs by itself: list, look ahead, pause, fill up."),
    "serve": ("serve", "Run an engine until it is told to end."),
    "store": ("serve", "Move a store: `dirigent store copy FROM TO`."),
    "prune": ("machine", "Remove runs that have ended and are past their time."),
    "import-run": ("machine", "Take a run from a file into this store, to be looked at."),
    "doctor": ("machine", "Show what is missing on this machine, and the remedy."),
    "version": ("machine", "Print the version."),
}
INTERRUPTED: Final = 130
# The sections of the help, by their first command.
_SECTIONS: Final = {
    "up": "Daily",
    "init": "Write",
    "import": "Resources",
    "show": "Inspect",
    "resume": "Control",
    "serve": "Engines",
    "prune": "Machine",
}


class LazyGroup(click.Group):
    """Finds commands in `COMMANDS` and imports their declaration when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dirigent.cli.commands.{COMMANDS[cmd_name][0]}")
        attribute = cmd_name.replace("-", "_")
        command = getattr(module, f"{attribute}_" if keyword.iskeyword(attribute) else attribute)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names, or say which one it could be."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing anything."""
        width = max(len(name) for name in COMMANDS)
        rows: list[tuple[str, list[tuple[str, str]]]] = []
        for name, (_, line) in COMMANDS.items():
            if name in _SECTIONS:
                rows.append((_SECTIONS[name], []))
            rows[-1][1].append((name.ljust(width), line))
        for title, commands in rows:
            with formatter.section(title):
                formatter.write_dl(commands)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="dirigent %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Plan, apply and keep a system: its files, services and workflows, from one stack file."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line and exit."""
    # SIGPIPE stays ignored: a server or a visitor that goes away must not end the engine. When it is the
    # reader of our output that does (`dirigent ps | head`), click ends us quietly.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = _run()
    gc.freeze()  # What lives now goes with the process: nobody need look through it first.
    sys.exit(code)


def _run() -> int:
    with _LastDefence() as defence:
        code = cli.main(prog_name="dirigent", standalone_mode=False)
        return code if isinstance(code, int) else 0
    return defence.code


class _LastDefence:
    """A block in which every failure that rises so far becomes words and an exit code."""

    def __init__(self) -> None:
        self.code = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(failure, click.Abort | KeyboardInterrupt):
            click.echo("interrupted", err=True)
            self.code = INTERRUPTED
        elif isinstance(failure, Exception):
            where = "usage" if isinstance(failure, click.ClickException) else "defect"
            report: Callable[[Exception], int] = importlib.import_module(
                f"dirigent.cli.failing.{where}"
            ).reported
            self.code = report(failure)
        else:
            return False
        return True
