"""The entry: a table of commands that are imported only when one is called.

`main` is also the last line of defence: a `Refusal` becomes text or JSON and an exit code, Ctrl-C
becomes 130, and what nobody expected becomes a report on disk and 70, never a bare traceback.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from dirigent import __version__

# Name, module, and the line that help shows: kept here so that `--help` imports none of them.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("document", "Write a new stack from a template."),
    "check": ("document", "Is the document right? Every error with its place."),
    "plan": ("plan", "Show what would change, in which order and why."),
    "up": ("apply", "Plan, ask, apply. Resumes what a crash left."),
    "down": ("apply", "The same for taking everything down."),
    "run": ("run", "Start a workflow, or a workflow file, and follow it."),
    "ps": ("look", "List runs and resources."),
    "show": ("look", "Show one run: its tasks, their attempts, its result."),
    "logs": ("look", "Show the output of a service."),
    "events": ("look", "Show the facts of a run, as they were recorded."),
    "cancel": ("control", "Stop a run for good."),
    "suspend": ("control", "Stop a run for a while."),
    "resume": ("run", "Let a run go on: suspended, held, or left by a crash."),
    "drift": ("plan", "Show what differs from what was applied."),
    "doctor": ("machine", "Show what is missing on this machine, and the remedy."),
    "schema": ("document", "Print the JSON Schema of a stack file, or of an output."),
    "version": ("machine", "Print the version."),
}


class LazyGroup(click.Group):
    """Finds commands in `COMMANDS` and imports their module when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dirigent.cli.commands.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="dirigent %(version)s")
def cli() -> None:
    """Plan, apply and keep a system: infrastructure, services and workflows, from one stack file."""


def main() -> None:
    """Run the command line and exit."""
    # SIGPIPE stays ignored: a server or a visitor that goes away must not end the engine. When it is the
    # reader of our output that does (`dirigent ps | head`), click ends us quietly.
    sys.exit(_run())


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as complaint:
        complaint.show()
        return complaint.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    return code if isinstance(code, int) else 0
