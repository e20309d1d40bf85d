"""What stacks are planned with beside an engine: its own providers, or others that are started for them.

Law: whoever plans a stack and whoever carries it out use the same programs. Where the stack of the engine was
edited, the engine goes over to what the edited one declares, as it would if it were started anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import field
from typing import Final, Protocol, runtime_checkable

from dirigent.app.planning import Parts, parts_of
from dirigent.app.stacks import Surrounding
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import keeper_of
from dirigent.model.stack import ProviderSetup, Secret
from dirigent.ports.resources import Managing

# Stacks with providers of their own, each with the processes of these.
OTHERS: Final = 4


@runtime_checkable
class Programmed(Protocol):
    """A provider that is a program."""

    async def digest(self) -> str:
        """Return the SHA-256 of the program that it runs. Raises `Refusal`."""
        ...


@dataclass(slots=True)
class Kit:
    """What one stack is planned with; `users` counts who plans with it now.

    `programs` are the digests of the programs of its providers, by name; empty where one is not to be had.
    `engaged` says that the engine uses some of it, and will end it.
    """

    around: Surrounding
    parts: Parts
    programs: Mapping[str, str]
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    users: int = 0
    engaged: bool = False

    @property
    def key(self) -> str:
        """Return what the providers hang on: two stacks with the same key may share them."""
        return key_of(self.around, self.programs)


@dataclass(slots=True)
class Kits:
    """That of the engine, which was started with `around` and `parts`, and those of other stacks."""

    around: Surrounding
    parts: Parts
    _own: Kit | None = None
    _others: dict[str, Kit] = field(default_factory=dict)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def lent(self, around: Surrounding, programs: Mapping[str, str]) -> AsyncIterator[Kit]:
        """Yield the kit for a stack, whose providers are these programs; nobody ends it meanwhile.

        What the stack of the engine declares in addition is known to the engine from now on: a plan may be
        stored, and carried out when nobody asks here any more.
        """
        # One at a time: two who ask for the same stack share what the first one starts.
        async with self._starting:
            kit = await self._kit(around, programs)
            kit.users += 1
        try:
            yield kit
        finally:
            kit.users -= 1

    async def own(self) -> Kit:
        """Return the kit of the engine: with the programs that it has found, or finds now."""
        if self._own is None:
            names = declared_in(self.around)
            programs = {name: await _digest(self.parts.providers[keeper_of("", name)]) for name in names}
            self._own = Kit(self.around, self.parts, programs)
        return self._own

    async def engage(self, kit: Kit) -> None:
        """Have the engine use a kit for all that it carries out from now on, if the stack is its own."""
        if kit.key == (await self.own()).key or not self.knows(kit):
            return
        self._take(kit, kit.programs, kit.around.secrets)
        self._own = Kit(kit.around, self.parts, kit.programs)

    async def trouble(self, kit: Kit, made: Plan) -> tuple[Problem, ...]:
        """Return what is wrong (E5075) with a plan whose providers or secrets the engine does not have."""
        if self.knows(kit):
            return ()
        own = await self.own()
        named = {change.provider for change in made.pending if change.provider}
        strange = sorted(name for name in named if own.programs.get(name) != kit.programs.get(name))
        ours, theirs = own.around.secrets, kit.around.secrets
        strange += sorted(name for name, each in theirs.items() if _place(ours.get(name)) != _place(each))
        return (_strange(strange, self.around),) if strange and made.pending else ()

    async def close(self) -> None:
        """End what was started, but for what the engine uses."""
        while self._others:
            await self._end(next(iter(self._others)))

    async def _kit(self, around: Surrounding, programs: Mapping[str, str]) -> Kit:
        own = await self.own()
        key = key_of(around, programs)
        if key == own.key:
            return own
        if key in self._others:
            # Who was asked for last is the last to go.
            self._others[key] = self._others.pop(key)
            return self._others[key]
        idle = [each for each, kit in self._others.items() if not kit.users]
        for each in idle[: max(0, len(self._others) - OTHERS + 1)]:
            await self._end(each)
        opened = AsyncExitStack()
        kit = Kit(around, await parts_of(opened, around, self.parts.store), programs, opened)
        self._others[key] = kit
        if self.knows(kit):
            ours = own.around.secrets
            fresh = {name: each for name, each in around.secrets.items() if name not in ours}
            self._take(kit, set(programs) - set(own.programs), fresh)
        return kit

    async def _end(self, key: str) -> None:
        kit = self._others.pop(key)
        if not kit.engaged:
            await kit.opened.aclose()

    def _take(self, kit: Kit, names: Iterable[str], secrets: Mapping[str, Secret]) -> None:
        """Have the engine use some providers of a kit, which then ends with the engine, and know secrets."""
        self.parts.vault.declare(secrets)
        keys = [keeper_of("", name) for name in names]
        self.parts.providers.adopt({key: kit.parts.providers[key] for key in keys})
        if keys and not kit.engaged:
            self.parts.providers.ends.append(kit.opened.aclose)
            kit.engaged = True

    def knows(self, kit: Kit) -> bool:
        """Return whether a kit is of the engine's stack, edited since; an engine without one takes any."""
        if kit.around.folder.resolve() != self.around.folder.resolve():
            return False
        ours, theirs = self.around.stack, kit.around.stack
        return ours is None or (theirs is not None and theirs.name == ours.name)


def declared_in(around: Surrounding) -> Mapping[str, ProviderSetup]:
    """Return the providers that a stack declares, by name."""
    return around.stack.providers if around.stack else {}


def key_of(around: Surrounding, programs: Mapping[str, str]) -> str:
    """Return what providers and secrets hang on: the folder, what is declared, and the programs."""
    setups = sorted(
        (name, each.source, each.of, each.parallel, programs.get(name, ""))
        for name, each in declared_in(around).items()
    )
    secrets = sorted((each.name, each.kind, each.at) for each in around.secrets.values())
    return repr((str(around.folder.resolve()), setups, secrets))


def _place(secret: Secret | None) -> tuple[str, str] | None:
    return None if secret is None else (secret.kind, secret.at)


async def _digest(provider: Managing) -> str:
    try:
        return await provider.digest() if isinstance(provider, Programmed) else ""
    except Refusal:
        return ""


def _strange(names: list[str], around: Surrounding) -> Problem:
    listed = ", ".join(f"`{name}`" for name in names)
    serves = f"the stack `{around.stack.name}`" if around.stack else "another folder"
    return Problem(
        "E5075",
        f"the engine that is to carry the plan out serves {serves}, and does not have this: {listed}",
        help=(
            "end that engine, and repeat: the command then carries the plan out itself",
            "or give this stack a state folder of its own (`--state DIR`)",
            "nothing was touched",
        ),
    )
