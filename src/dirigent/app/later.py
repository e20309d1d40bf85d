"""What is imported and built when it is first needed: few runs need all of it."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias, runtime_checkable

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.model.ids import RunId
from dirigent.model.program import Code, Program
from dirigent.model.run.code import Site
from dirigent.model.run.effect import Order, Outcome
from dirigent.model.run.journal import Fact
from dirigent.model.values import Value
from dirigent.ports import Performer, Play, Prompt
from dirigent.tasks.script import Remote

Build: TypeAlias = Callable[[Surrounding, Parts], Performer]

WEB = "dirigent.app.web"
AUTHORS = "dirigent.app.authors"
EXTRAS = "dirigent.app.protocols.extras"
RECEPTION: Final = "dirigent.app.warm.reception"


@runtime_checkable
class Hearing(Protocol):
    """A performer that wants to know what became durable."""

    def hear(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Learn it."""
        ...


class LaterPerformer:
    """Stands for the performer that the function `name` of a module builds."""

    def __init__(self, name: str, around: Surrounding, parts: Parts, module: str = WEB) -> None:
        """Keep what it will be built from."""
        self._name = name
        self._module = module
        self._around = around
        self._parts = parts
        self._built: Performer | None = None
        self._hearing: Hearing | None = None
        self._prompt: Prompt | None = None

    async def perform(self, order: Order) -> Outcome:
        """Do it."""
        return await self._performer().perform(order)

    def answer(self, order: Order) -> Outcome | None:
        """Do it on the spot, if that can be."""
        self._performer()
        return self._prompt.answer(order) if self._prompt is not None else None

    async def abandon(self, order: Order) -> None:
        """Stop it."""
        await self._performer().abandon(order)

    def hear(self, run: RunId, _: Program, __: int, facts: Sequence[Fact]) -> None:
        """Pass on what became durable, if the performer was built and wants to know."""
        if self._hearing is not None:
            self._hearing.hear(run, facts)

    def _performer(self) -> Performer:
        if self._built is None:
            build: Build = getattr(importlib.import_module(self._module), self._name)
            self._built = build(self._around, self._parts)
            built: object = self._built
            self._hearing = built if isinstance(built, Hearing) else None
            self._prompt = built if isinstance(built, Prompt) else None
        return self._built


class LaterRemote:
    """Stands for who fetches the sources of scripts; called, it is built."""

    def __init__(self, around: Surrounding, parts: Parts) -> None:
        """Keep what it will be built from."""
        self._around = around
        self._parts = parts

    def __call__(self) -> Remote:
        """Return it."""
        build: Callable[[Surrounding, Parts], Remote] = importlib.import_module(WEB).source
        return build(self._around, self._parts)


class Receiving(Protocol):
    """Who receives those that want a plan: `app.warm.reception.Reception`."""

    async def welcome(
        self, request: Mapping[str, object], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer somebody."""
        ...

    async def close(self) -> None:
        """End what was started."""
        ...


Receive: TypeAlias = Callable[[Surrounding, Parts, object], Receiving]


class LaterReception:
    """Stands for where an engine receives who wants a plan: it is built when the first one comes."""

    def __init__(self, around: Surrounding, parts: Parts, desk: object) -> None:
        """Keep what it will be built from; `desk` is that of `app.conducting`."""
        self._from = around, parts, desk
        self._built: Receiving | None = None

    async def welcome(
        self, request: Mapping[str, object], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer somebody at the door."""
        if self._built is None:
            build: Receive = importlib.import_module(RECEPTION).Reception
            self._built = build(*self._from)
        await self._built.welcome(request, reader, writer)

    async def close(self) -> None:
        """End what was started."""
        if self._built is not None:
            await self._built.close()


class Written(Protocol):
    """The workflows that people wrote: `app.authors.Authors`."""

    def check(self, code: Code) -> None:
        """Raise `Refusal` (`E4031`) when there is no such workflow."""
        ...

    def play(self, code: Code, given: Value, site: Site) -> Play:
        """Return a run of it."""
        ...

    def program(self, reference: str) -> Program:
        """Return its program, by `module:name`."""
        ...


class LaterAuthors:
    """Stands for the workflows in Python: their room is imported when the first of them is wanted."""

    def __init__(self, around: Surrounding) -> None:
        """Keep where they are looked for."""
        self._folder = str(around.folder.absolute())
        self._built: Written | None = None

    def check(self, code: Code) -> None:
        """Raise `Refusal` (E4031) when there is no such workflow."""
        self._authors().check(code)

    def play(self, code: Code, given: Value, site: Site) -> Play:
        """Return a run of a workflow, before its first line."""
        return self._authors().play(code, given, site)

    def program(self, reference: str) -> Program:
        """Return the program of a workflow by `module:name`."""
        return self._authors().program(reference)

    def _authors(self) -> Written:
        if self._built is None:
            build: Callable[[str], Written] = importlib.import_module(AUTHORS).of_folder
            self._built = build(self._folder)
        return self._built


PYTHON: Final = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_][\w.]*)")


def python_named(folder: Path, text: str, given: Value) -> Program | None:
    """Return the program of a workflow in Python that is named like `flows.py:place`; None for other names.

    Raises `Refusal`: E7040, E4031, E4033.
    """
    found = PYTHON.fullmatch(text)
    if found is None:
        return None
    read: Callable[[Path, str, str, Value], Program] = importlib.import_module(AUTHORS).of_file
    return read(folder, found["file"], found["name"], given)


def python_written(folder: Path, program: Program, given: Value) -> Program:
    """Return a program as its author's module says it is now; one that is no workflow in Python is as it was.

    Raises `Refusal`: E4031, E4033.
    """
    node = program.root.node
    if not isinstance(node, Code):
        return program
    file = f"{node.module.replace('.', '/')}.py"
    return python_named(folder, f"{file}:{node.name}", given) or program
