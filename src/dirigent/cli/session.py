"""A command's session: its place, its stack and inputs, ready for `app.looking` or `app.conducting`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dirigent.app import TYPES, Surrounding
from dirigent.cli.shell import Place, complain, pairs, place_of
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
    place = _place(options)
    loaded = stacks.load_stack(place.stack_file, TYPES)
    if loaded.warnings:
        complain(loaded.warnings)
    inputs = stacks.resolved(loaded.stack, _given(options, loaded.stack))
    return Session(place, loaded.stack, inputs, Surrounding(place.settings, place.folder, loaded.stack))


def around(options: Mapping[str, object], programs: tuple[Program, ...] = ()) -> Surrounding:
    """Return the surrounding of a command that can do without a stack.

    A stack that was edited into an error must not strand the runs that were started from it: what is
    wrong is said, and the command goes on with what the journals hold.
    """
    place = _place(options)
    stack: Stack | None = None
    if place.stack_file.exists():
        try:
            stack = stacks.load_stack(place.stack_file, TYPES).stack
        except Refusal as refusal:
            complain(refusal.problems)
    return Surrounding(place.settings, place.folder, stack, programs)


def _place(options: Mapping[str, object]) -> Place:
    directory, stack, state = (options.get(name) for name in ("directory", "stack", "state"))
    return place_of(
        str(directory) if directory else None, str(stack) if stack else None, str(state) if state else None
    )


def _given(options: Mapping[str, object], stack: Stack) -> dict[str, stacks.Given]:
    flags, files = options.get("flags") or (), options.get("files") or ()
    texts = tuple(str(flag) for flag in flags) if isinstance(flags, tuple) else ()
    paths = tuple(Path(str(name)) for name in files) if isinstance(files, tuple) else ()
    return stacks.given_inputs(pairs(texts), paths, os.environ, stack)
