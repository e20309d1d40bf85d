"""One conversation with a provider under one configuration: who it is, what it may know, what it is asked.

What only looks is asked once more, of a fresh process, when the first one died. What changes is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import TypeVar

import msgspec

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Value, has_unknown
from dirigent.providers.tofu.lifecycle.session import Session
from dirigent.providers.tofu.process.connection import CallBroken
from dirigent.providers.tofu.provider.fleeting.lasting import Leases
from dirigent.providers.tofu.provider.fleeting.naming import opened_in, parted, refuse_kept
from dirigent.providers.tofu.provider.pool import Pool, Program
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.reading import Schemas
from dirigent.providers.tofu.schema.shape import Schema
from dirigent.providers.tofu.values.paths import Misfit, shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Conversation:
    """`setup` is the provider's configuration as planning has it: with secrets by name, perhaps unknown.

    `borrowed` are the tokens of the ephemeral values that it was given: they stay open while it acts.
    """

    name: str
    program: Program
    pool: Pool
    setup: Mapping[str, Value]
    secrecy: Secrecy
    leases: Leases
    borrowed: dict[str, None] = field(default_factory=dict)
    _clear: dict[str, dict[str, Value]] = field(default_factory=dict)

    @property
    def deferred(self) -> bool:
        """Return whether the provider cannot be configured yet."""
        return has_unknown(dict(self.setup))

    async def schemas(self) -> Schemas:
        """Return what the provider offers."""
        return await self.pool.schemas(self.program)

    async def schema(self, type_name: str) -> Schema:
        """Return the schema of a type. Raises `Refusal` (E3016)."""
        resources = (await self.schemas()).resources
        if type_name not in resources:
            raise refuse("E3016", f"the provider `{self.name}` does not know the type `{type_name}`")
        return resources[type_name]

    async def source(self, type_name: str) -> Schema:
        """Return the schema of a data source. Raises `Refusal` (E3016)."""
        sources = (await self.schemas()).sources
        if type_name not in sources:
            raise refuse(
                "E3016",
                f"the provider `{self.name}` has no data source `{type_name}`",
                *([f"it has {', '.join(f'`{name}`' for name in sources)}"] if sources else []),
            )
        return sources[type_name]

    async def ask(self, question: Callable[[Session], Awaitable[T]]) -> T:
        """Return the answer to what changes nothing."""
        try:
            return await self.act(question)
        except CallBroken:
            return await self.act(question)

    async def act(self, deed: Callable[[Session], Awaitable[T]]) -> T:
        """Return what comes of something that may change the world. It is done at most once."""
        setup = await self._configured()
        async with self.leases.held(self.borrowed), self.pool.session(self.program, setup) as session:
            return await deed(session)

    async def look(self, question: Callable[[Session], Awaitable[T]]) -> T:
        """Return the answer to what a provider knows before it is configured."""
        async with self.pool.session(self.program, None) as session:
            return await question(session)

    async def stop(self) -> None:
        """Ask the provider to bring what is under way to an end."""
        await self.pool.stop(self.program, await self._configured())

    async def borrow(self, value: Value) -> None:
        """Open what of a value is ephemeral, for it to be revealed. Raises `Refusal`, `ProviderFailed`."""
        for token in dict.fromkeys(parted(name)[0] for _, name in opened_in(value)):
            self.secrecy.lent[token] = await self.leases.borrow(token)
            self.borrowed[token] = None

    async def taken(self, type_name: str, schema: Schema, config: Mapping[str, Value]) -> dict[str, Value]:
        """Return what `given` does, with ephemeral values where nothing is kept of them.

        Raises `Refusal` (E3012, E3045), and what `borrow` does.
        """
        refuse_kept(type_name, schema.block, config)
        await self.borrow(dict(config))
        return self.given(type_name, schema, config)

    def given(self, type_name: str, schema: Schema, config: Mapping[str, Value]) -> dict[str, Value]:
        """Return the configuration of a resource in clear, every member present. Raises `Refusal` (E3012)."""
        clear = self.secrecy.reveal(dict(config))
        found, odd = configured(schema.block, clear if isinstance(clear, dict) else {})
        if odd:
            raise Refusal([_misfit("E3012", type_name, each) for each in odd])
        self.secrecy.learn(schema.block, found)
        return found

    async def inputs(self, type_name: str, given: Mapping[str, Value]) -> str:
        """Return the digest of all that a plan hangs on but what stands; empty while some is unknown.

        So it is where something ephemeral is among it, for that is another each time.
        """
        setup = await self._configured()
        if self.borrowed or has_unknown(dict(given)):
            return ""
        content = [self.program.digest, setup, type_name, dict(given)]
        return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()

    async def _configured(self) -> dict[str, Value]:
        """Return the provider's own configuration in clear and whole. Raises `Refusal` (E3011)."""
        if not self._clear:
            block = (await self.schemas()).provider.block
            await self.borrow(dict(self.setup))
            clear = self.secrecy.reveal(dict(self.setup))
            found, odd = configured(block, clear if isinstance(clear, dict) else {})
            if odd:
                raise Refusal([_misfit("E3011", f"the provider {self.name}", each) for each in odd])
            self.secrecy.learn(block, found)
            self._clear[""] = found
        return self._clear[""]


def _misfit(code: str, whose: str, odd: Misfit) -> Problem:
    return Problem(code, f"`{shown(odd.path)}` of `{whose}` {odd.message}", label=shown(odd.path))
