"""A command's session: its place, its stack and inputs, ready for `app.looking` or `app.conducting`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dirigent.app import TYPES, Surrounding
from dirigent.cli.shell import Place, complain, pairs, place_of
from dirigent.lang.inputs import Given
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.service import stacks


@dataclass(frozen=True, slots=True)
class Session:
    """What a command that needs a stack works with."""

    place: Place
    stack: Stack
    inputs: dict[str, Value]
    surrounding: Surrounding


def opened(options: Mapping[str, object]) -> Session:
    """Read the stack and its inputs as the options say. Raises `Refusal` with every problem."""
    where = place(options)
    loaded = stacks.load_stack(where.stack_file, TYPES)
    if loaded.warnings:
        complain(loaded.warnings)
    inputs = stacks.resolved(loaded.stack, given_by(options, loaded.stack))
    return Session(where, loaded.stack, inputs, Surrounding(where.settings, where.folder, loaded.stack))


def around(options: Mapping[str, object], programs: tuple[Program, ...] = ()) -> Surrounding:
    """Return the surrounding of a command that can do without a stack.

    A stack that was edited into an error must not strand the runs that were started from it: what is
    wrong is said, and the command goes on with what the journals hold.
    """
    where = place(options)
    stack: Stack | None = None
    if where.stack_file.exists():
        try:
            stack = stacks.load_stack(where.stack_file, TYPES).stack
        except Refusal as refusal:
            complain(refusal.problems)
    return Surrounding(where.settings, where.folder, stack, programs)


def place(options: Mapping[str, object]) -> Place:
    """Return where the options say that a command works."""
    directory, stack, state = (options.get(name) for name in ("directory", "stack", "state"))
    return place_of(
        str(directory) if directory else None, str(stack) if stack else None, str(state) if state else None
    )


def given_by(options: Mapping[str, object], stack: Stack) -> dict[str, Given]:
    """Return the inputs that the options and the environment give."""
    flags, files = options.get("flags") or (), options.get("files") or ()
    texts = tuple(str(flag) for flag in flags) if isinstance(flags, tuple) else ()
    paths = tuple(Path(str(name)) for name in files) if isinstance(files, tuple) else ()
    return stacks.given_inputs(pairs(texts), paths, os.environ, stack)
