"""The stack that a command works with, and the inputs that were given on the line."""

from __future__ import annotations

import os
from pathlib import Path

from dirigent.app.resources import TYPES
from dirigent.app.types.known import offers
from dirigent.cli.answer import complain
from dirigent.cli.given import Options
from dirigent.cli.place import Place
from dirigent.cli.session import pairs
from dirigent.lang.inputs import Given
from dirigent.lang.stack import nothing_known
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.service import stacks


def complete(options: Options, where: Place, *, planning: bool) -> tuple[Stack, dict[str, Value]]:
    """Return the stack and the value of each input; warnings are shown. Raises `Refusal`.

    For `planning` its providers must be known, and its resources fit their types.
    """
    known = offers(where.folder, strict=True) if planning else nothing_known
    loaded = stacks.load_stack(where.stack_file, TYPES, known)
    if loaded.warnings:
        complain(loaded.warnings)
    return loaded.stack, inputs(options, loaded.stack)


def inputs(options: Options, stack: Stack) -> dict[str, Value]:
    """Return the value of each input. Raises `Refusal` with every one that is missing or wrong."""
    return stacks.resolved(stack, given_by(options, stack))


def alone(where: Place) -> Stack:
    """Return the stack, whatever its providers are like. Raises `Refusal`."""
    return stacks.load_stack(where.stack_file, TYPES).stack


def given_by(options: Options, stack: Stack) -> dict[str, Given]:
    """Return the inputs that the options and the environment give."""
    paths = tuple(Path(name) for name in options.many("files"))
    return stacks.given_inputs(pairs(options.many("flags")), paths, os.environ, stack)
