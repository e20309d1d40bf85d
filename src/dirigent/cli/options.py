"""Options that commands share, and the door to the module that does their work.

Rule: a module of `cli.commands` imports this one and click, nothing else, so that help costs nothing.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Mapping
from typing import Final, ParamSpec, TypeVar

import click

P = ParamSpec("P")
T = TypeVar("T")

STACK_FILE: Final = "stack.yaml"
STATE_FOLDER: Final = ".dirigent"
AHEAD: Final = "ahead"


def call(work: str, given: Mapping[str, object], ahead: str = "") -> int:
    """Do the work `module.verb` of `cli.work` and return the exit code. Only now its imports are paid.

    What `ahead` names is done before: it has an engine begin while this process gets ready.
    """
    # What is imported stays until the end: looking through it for garbage finds nothing, again and again.
    gc.disable()
    begun = {AHEAD: _found(ahead)(given)} if ahead else {}
    given = {**given, **begun}
    doing = _found(work)
    answered: Callable[[object, Mapping[str, object]], int]
    answered = importlib.import_module("dirigent.cli.answer").answered
    gc.freeze()
    gc.enable()
    return answered(doing, given)


def _found(work: str) -> Callable[[object], object]:
    module, _, verb = work.rpartition(".")
    found: Callable[[object], object] = getattr(importlib.import_module(f"dirigent.cli.work.{module}"), verb)
    return found


def placed(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that say where a command works: `directory`, `stack`, `state`, `store`."""
    options = (
        click.option("-C", "--directory", metavar="DIR", help="Work as if started in DIR."),
        click.option("-s", "--stack", metavar="FILE", help=f"The stack file (default: {STACK_FILE})."),
        click.option(
            "--state",
            metavar="DIR",
            envvar="DIRIGENT_STATE",
            help=f"Where the state lies (default: {STATE_FOLDER} beside the stack file).",
        ),
        click.option(
            "--store",
            metavar="URL",
            envvar="DIRIGENT_STORE",
            help="A PostgreSQL database that holds the runs (default: a file in the state folder).",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def with_inputs(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that give inputs of the stack: `flags` and `files`."""
    command = click.option(
        "--inputs", "files", multiple=True, metavar="FILE", help="Read inputs from a YAML or JSON file."
    )(command)
    return click.option(
        "-i", "--input", "flags", multiple=True, metavar="NAME=VALUE", help="Give one input."
    )(command)


def with_parts(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that select a part of the stack: `target` and `exclude`."""
    command = click.option(
        "--exclude", multiple=True, metavar="ADDRESS", help="Leave this out, and all that needs it."
    )(command)
    return click.option(
        "--target", multiple=True, metavar="ADDRESS", help="Only this, with all that it needs."
    )(command)


def with_selection(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that select what is planned: `target`, `exclude` and `replace`."""
    command = click.option(
        "--replace",
        multiple=True,
        metavar="ADDRESS",
        help="Make this anew, whatever else is planned.",
    )(command)
    return with_parts(command)


def with_json(command: Callable[P, T]) -> Callable[P, T]:
    """Add `--json`, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(command)


def with_timeout(command: Callable[P, T]) -> Callable[P, T]:
    """Add `--timeout`, as `timeout`, in seconds."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Stop waiting after so long (exit code 9); the run can go on.",
    )(command)
