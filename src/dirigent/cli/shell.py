"""What all commands share: where they work, how their answer is shown, and what a refusal looks like."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from dirigent.cli import wire
from dirigent.cli.exits import Exit, exit_of
from dirigent.cli.frame import problems_text
from dirigent.cli.terminal import err
from dirigent.model.problem import Problem, Refusal
from dirigent.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

STACK_FILE = "stack.yaml"
STATE_FOLDER = ".dirigent"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works: the stack file (which may be missing) and the state beside it."""

    stack_file: Path
    settings: Settings
    named: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder from which relative paths start."""
        return self.stack_file.parent


def place_of(directory: str | None, stack: str | None, state: str | None) -> Place:
    """Return the place that the options `-C`, `-s` and `--state` name."""
    folder = Path(directory or ".")
    file = folder / (stack or STACK_FILE)
    where = Path(state) if state else file.parent / STATE_FOLDER
    return Place(file, Settings(where.absolute()), named=stack is not None)


def placed(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that say where a command works. The command gets `directory`, `stack`, `state`."""
    options = (
        click.option("-C", "--directory", metavar="DIR", help="Work as if started in DIR."),
        click.option("-s", "--stack", metavar="FILE", help=f"The stack file (default: {STACK_FILE})."),
        click.option(
            "--state",
            metavar="DIR",
            envvar="DIRIGENT_STATE",
            help=f"Where the state lies (default: {STATE_FOLDER} beside the stack file).",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def with_inputs(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that give inputs. The command gets `flags` and `files`."""
    command = click.option(
        "--inputs", "files", multiple=True, metavar="FILE", help="Read inputs from a YAML or JSON file."
    )(command)
    return click.option(
        "-i", "--input", "flags", multiple=True, metavar="NAME=VALUE", help="Give one input."
    )(command)


def with_json(command: Callable[P, T]) -> Callable[P, T]:
    """Add `--json`. The command gets `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(command)


def pairs(flags: tuple[str, ...]) -> dict[str, str]:
    """Return `NAME=VALUE` options as a mapping. Raises `click.UsageError`."""
    found: dict[str, str] = {}
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals or not name:
            raise click.UsageError(f"`{flag}` is not of the form NAME=VALUE")
        found[name] = value
    return found


def answering(command: Callable[P, int]) -> Callable[P, int]:
    """Show a refusal as text or JSON, and turn it into the exit code of its first error."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return command(*args, **kwargs)
        except Refusal as refusal:
            if kwargs.get("as_json"):
                say_json({"problems": [wire.problem(each) for each in refusal.problems]})
            else:
                complain(refusal.problems)
            return exit_of(refusal.problems)

    return run


def complain(problems: tuple[Problem, ...]) -> None:
    """Write problems to standard error, with the lines that they are about."""
    click.echo(problems_text(problems, sources_of(problems), err()), err=True, color=err().colour)


def sources_of(problems: tuple[Problem, ...]) -> Mapping[str, str]:
    """Return the text of the files that problems point into, as far as they can be read."""
    sources: dict[str, str] = {}
    for span in [p.at for p in problems if p.at] + [label.span for p in problems for label in p.others]:
        if span.file not in sources and Path(span.file).is_file():
            sources[span.file] = Path(span.file).read_text(encoding="utf-8", errors="replace")
    return sources


def say(text: str) -> None:
    """Write a line to standard output; colour codes stay as they are, the caller has decided on them."""
    click.echo(text, color=True)


def say_json(value: object) -> None:
    """Write one JSON document to standard output."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def note(text: str) -> None:
    """Write a remark to standard error, where it does not mix with an answer."""
    click.echo(text, err=True, color=err().colour)


def wait_for(work: Coroutine[None, None, int]) -> int:
    """Run the asynchronous part of a command; Ctrl-C stops it and gives 130."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def ask(question: str) -> bool:
    """Ask a person for yes or no; without a terminal that is a usage error that names the flag."""
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: add `--yes` to apply without asking")
    return click.confirm(question, default=False, err=True)
