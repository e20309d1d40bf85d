"""The stack that a command works with, and the inputs that were given on the line."""

from __future__ import annotations

import os
from pathlib import Path

from dirigent.app.resources import TYPES
from dirigent.cli.answer import complain
from dirigent.cli.options import Options
from dirigent.cli.place import Place
from dirigent.cli.session import pairs
from dirigent.lang.inputs import Given
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.service import stacks


def complete(options: Options, where: Place) -> tuple[Stack, dict[str, Value]]:
    """Return the stack and the value of each input; warnings are shown. Raises `Refusal`."""
    loaded = stacks.load_stack(where.stack_file, TYPES)
    if loaded.warnings:
        complain(loaded.warnings)
    return loaded.stack, stacks.resolved(loaded.stack, given_by(options, loaded.stack))


def alone(where: Place) -> Stack:
    """Return the stack. Raises `Refusal`."""
    return stacks.load_stack(where.stack_file, TYPES).stack


def given_by(options: Options, stack: Stack) -> dict[str, Given]:
    """Return the inputs that the options and the environment give."""
    paths = tuple(Path(name) for name in options.many("files"))
    return stacks.given_inputs(pairs(options.many("flags")), paths, os.environ, stack)
