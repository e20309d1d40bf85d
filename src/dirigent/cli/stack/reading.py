"""The stack that a command works with, and the inputs that were given on the line."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol, cast

from dirigent.app.resources import TYPES
from dirigent.cli.answer import complain
from dirigent.cli.given import Options
from dirigent.cli.place import Place
from dirigent.cli.session import pairs
from dirigent.lang.inputs import Given
from dirigent.lang.stack import Offer, Offers, nothing_known
from dirigent.model.problem import Problem
from dirigent.model.source import Span
from dirigent.model.stack import ProviderSetup, Stack
from dirigent.model.values import Value
from dirigent.service import stacks

OFFERS: Final = "dirigent.app.types.offers"


class _Tell(Protocol):
    """What `dirigent.app.types.offers` offers."""

    def offers_of(
        self, declared: Mapping[str, ProviderSetup], folder: Path, *, strict: bool
    ) -> Mapping[str, Offer | Problem]:
        """Return what each provider offers, or why that is not known."""
        ...


def complete(options: Options, where: Place, *, planning: bool) -> tuple[Stack, dict[str, Value]]:
    """Return the stack and the value of each input; warnings are shown. Raises `Refusal`.

    For `planning` its providers must be known, and its resources fit their types.
    """
    known = offers(where, strict=True) if planning else nothing_known
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


def offers(where: Place, *, strict: bool) -> Offers:
    """Return what tells of the providers of a stack and of its modules; it is imported where there are any.

    Each is looked for once, however many modules declare it.
    """
    told: dict[tuple[str, str, str, str], Offer | Problem] = {}

    def known(declared: Mapping[str, ProviderSetup]) -> Mapping[str, Offer | Problem | None]:
        fresh = {name: each for name, each in declared.items() if _key(each) not in told}
        if fresh:
            found = cast("_Tell", importlib.import_module(OFFERS)).offers_of(
                fresh, where.folder, strict=strict
            )
            told.update({_key(declared[name]): each for name, each in found.items()})
        return {name: _at(told.get(_key(each)), each.span) for name, each in declared.items()}

    return known


def _key(setup: ProviderSetup) -> tuple[str, str, str, str]:
    return setup.name, setup.of, setup.source, setup.version


def _at(told: Offer | Problem | None, place: Span | None) -> Offer | Problem | None:
    return replace(told, at=place) if isinstance(told, Problem) else told


def given_by(options: Options, stack: Stack) -> dict[str, Given]:
    """Return the inputs that the options and the environment give."""
    paths = tuple(Path(name) for name in options.many("files"))
    return stacks.given_inputs(pairs(options.many("flags")), paths, os.environ, stack)
