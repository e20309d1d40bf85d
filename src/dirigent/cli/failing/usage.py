"""A command line that cannot be understood, as the problem E7006."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import click

from dirigent.cli.answer import refused
from dirigent.cli.exits import Exit
from dirigent.cli.output import note
from dirigent.model.problem import Problem

_QUOTED = re.compile(r"'([^']+)'")


def reported(complaint: click.ClickException) -> int:
    """Show what is wrong with the command line, and return the exit code.

    A group without a command shows its help: that is what is missing.
    """
    if isinstance(complaint, click.exceptions.NoArgsIsHelpError):
        note(complaint.message)
        return Exit.USAGE
    return refused((problem_of(complaint),), as_json=_wants_json(sys.argv[1:]))


def problem_of(complaint: click.ClickException) -> Problem:
    """Return the problem: click's sentence in our form, the near names, and where to read on."""
    context = complaint.ctx if isinstance(complaint, click.UsageError) else None
    help_lines: list[str] = []
    match complaint:
        case click.NoSuchOption(option_name=name):
            message = f"there is no option `{name}`"
            help_lines += _near(complaint.possibilities)
        case click.exceptions.NoSuchCommand(command_name=name):
            message = f"there is no command `{name}`"
            help_lines += _near(complaint.possibilities)
        case _:
            message = _sentence(complaint.format_message())
    path = context.command_path if context else "dirigent"
    help_lines.append(f"see `{path} --help`")
    return Problem("E7006", message, help=tuple(help_lines))


def _near(names: Iterable[str] | None) -> list[str]:
    found = [f"`{name}`" for name in names or ()]
    return [f"did you mean {' or '.join(found)}?"] if found else []


def _sentence(text: str) -> str:
    quoted = _QUOTED.sub(r"`\1`", text.strip().removesuffix("."))
    return quoted[:1].lower() + quoted[1:]


def _wants_json(words: list[str]) -> bool:
    before = words[: words.index("--")] if "--" in words else words
    return "--json" in before
