"""A command's session: its stack and inputs, ready for the rooms of `app`."""

from __future__ import annotations

import getpass
import importlib
import os
from typing import Final, Protocol, cast

import click

from dirigent.app.stacks import Surrounding
from dirigent.cli.answer import complain
from dirigent.cli.given import Options
from dirigent.cli.place import Place, place
from dirigent.model.ids import canonical
from dirigent.model.plan import EVERYTHING, Selection
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.stack import Stack
from dirigent.model.values import Value

STACKS: Final = "dirigent.cli.stack.reading"


class _Stacks(Protocol):
    """What `dirigent.cli.stack.reading` offers, which is imported where there is a stack."""

    def complete(self, options: Options, where: Place, *, planning: bool) -> tuple[Stack, dict[str, Value]]:
        """Return the stack, and the value of each input."""
        ...

    def alone(self, where: Place) -> Stack:
        """Return the stack. Raises `Refusal`."""
        ...

    def inputs(self, options: Options, stack: Stack) -> dict[str, Value]:
        """Return the value of each input. Raises `Refusal`."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """What a command that needs a stack works with."""

    stack: Stack
    inputs: dict[str, Value]
    surrounding: Surrounding


def who() -> str:
    """Return the name of the person who gives the command, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # A container need not know its users by name.


def opened(options: Options, *, planning: bool = True) -> Session:
    """Read the stack and its inputs as the options say. Raises `Refusal` with every problem.

    Only for `planning` must its providers be known, and its resources fit their types.
    """
    where = place(options)
    stack, inputs = _stacks().complete(options, where, planning=planning)
    surrounding = Surrounding(where.settings, where.folder, stack, events=options.text("sink"))
    return Session(stack, inputs, surrounding)


def around(options: Options, programs: tuple[Program, ...] = ()) -> Surrounding:
    """Return the surrounding of a command that can do without a stack.

    A stack that was edited into an error must not strand the runs that were started from it: what is
    wrong is said, and the command goes on with what the journals hold.
    """
    where = place(options)
    stack: Stack | None = None
    if where.stack_file.exists() or options.text("stack"):
        try:
            stack = _stacks().alone(where)
        except Refusal as refusal:
            complain(refusal.problems)
    return Surrounding(where.settings, where.folder, stack, programs, options.text("sink"))


def leaving(options: Options) -> tuple[Surrounding, dict[str, Value]]:
    """Return the surrounding of a command that takes everything down, and the inputs of the stack.

    Only providers want inputs: without any, a stack comes down also when its file is broken by now.
    """
    surrounding = around(options)
    if surrounding.stack is None or not surrounding.stack.providers:
        return surrounding, {}
    return surrounding, _stacks().inputs(options, surrounding.stack)


def selection(options: Options) -> Selection:
    """Return what the options select; a shell may have taken the quotes of an address away."""
    targets, exclude, again = (
        tuple(canonical(word) for word in options.many(name)) for name in ("target", "exclude", "replace")
    )
    return Selection(targets, exclude, again)


def refuse_selection(options: Options) -> None:
    """Raise `Refusal` (E7007) when something is selected of a plan that is stored."""
    if selection(options) != EVERYTHING:
        raise refuse("E7007", "a stored plan is as it was shown", "select nothing, or make a new plan")


def pairs(flags: tuple[str, ...]) -> dict[str, str]:
    """Return `NAME=VALUE` options as a mapping. Raises `click.UsageError`."""
    found: dict[str, str] = {}
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals or not name:
            raise click.UsageError(f"`{name}` is not of the form NAME=VALUE")
        found[name] = value
    return found


def _stacks() -> _Stacks:
    return cast("_Stacks", importlib.import_module(STACKS))
