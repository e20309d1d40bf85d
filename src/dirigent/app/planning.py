"""Look at the world through the providers, and plan. What must act is in `app.conducting`."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import field
from typing import Final, Protocol, TypeAlias

from dirigent.app.looking import Store, SystemClock, readable
from dirigent.app.stacks import Surrounding, secret_of_workflow
from dirigent.jq import LANGUAGE
from dirigent.model.record import dataclass
from dirigent.ports import Journal, Shelf, Vault
from dirigent.ports.resources import Managing
from dirigent.service.plans import Planner
from dirigent.tasks.oracle import JqOracle
from dirigent.tasks.secrets import EnvironmentVault

Close: TypeAlias = Callable[[], Awaitable[None]]
Build: TypeAlias = Callable[[Surrounding, Vault], tuple[Mapping[str, Managing], Close | None]]

RESOURCES: Final = "dirigent.app.resources"
SEALING: Final = "dirigent.providers.tofu.sealing"
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class Unsealing(Protocol):
    """What opens sensitive values of resources."""

    def text(self, token: str) -> str:
        """Return the value of a token as text."""
        ...


class LaterProviders(Mapping[str, Managing]):
    """Stands for the providers of a stack, which are imported and built when the first of them is wanted."""

    def __init__(self, around: Surrounding, vault: Vault) -> None:
        """Keep what they will be built from."""
        self._around = around
        self._vault = vault
        self._built: Mapping[str, Managing] | None = None
        # What ends them, and what ends those that were adopted.
        self.ends: list[Close] = []

    def __getitem__(self, type_name: str) -> Managing:
        """Return the provider of a type of resources."""
        return self._providers()[type_name]

    def __iter__(self) -> Iterator[str]:
        """Go through the types."""
        return iter(self._providers())

    def __len__(self) -> int:
        """Return how many types there are."""
        return len(self._providers())

    def _providers(self) -> Mapping[str, Managing]:
        if self._built is None:
            build: Build = importlib.import_module(RESOURCES).providers_of
            self._built, close = build(self._around, self._vault)
            self.ends += [close] if close is not None else []
        return self._built

    def adopt(self, others: Mapping[str, Managing]) -> None:
        """Use other providers from now on, by their keys; who is in the middle of a call keeps the former."""
        self._built = {**self._providers(), **others}

    async def close(self) -> None:
        """End what the providers have started for themselves."""
        while self.ends:
            await self.ends.pop()()


class LaterUnsealing:
    """Opens sensitive values of resources; what does so is imported with the first of them."""

    def __init__(self, key: str) -> None:
        """Keep where the key lies."""
        self._key = key
        self._open: Callable[[str], str] | None = None

    def __call__(self, token: str) -> str:
        """Return the text of a token. Raises `Refusal` (E3018)."""
        if self._open is None:
            seal: Callable[[str], Unsealing] = importlib.import_module(SEALING).Seal
            self._open = seal(self._key).text
        return self._open(token)


@dataclass(frozen=True, slots=True)
class Parts:
    """What both a look at the world and an engine are made of.

    In `shared` lies what performers have in common that is built when the first of them is needed.
    """

    store: Store
    vault: EnvironmentVault
    oracle: JqOracle
    providers: LaterProviders
    clock: SystemClock = field(default_factory=SystemClock)
    shared: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Board:
    """What a command needs that plans and changes nothing."""

    journal: Journal
    shelf: Shelf
    planner: Planner
    clock: SystemClock


@asynccontextmanager
async def planning(around: Surrounding) -> AsyncIterator[Board]:
    """Yield a planner over the store as it stands, beside whatever engine drives it."""
    async with AsyncExitStack() as stack:
        parts = await parts_of(stack, around, await readable(stack, around.settings))
        yield Board(parts.store, parts.store, planner_of(parts), parts.clock)


async def parts_of(stack: AsyncExitStack, around: Surrounding, store: Store) -> Parts:
    """Build the adapters around a store; what must be closed is given to `stack`."""
    unseal = LaterUnsealing(around.settings.key)
    vault = EnvironmentVault(around.secrets, os.environ, around.folder, secret_of_workflow, unseal)
    oracle = JqOracle()
    stack.push_async_callback(oracle.close)
    providers = LaterProviders(around, vault)
    stack.push_async_callback(providers.close)
    return Parts(store, vault, oracle, providers)


def planner_of(parts: Parts) -> Planner:
    """Return the planner over these parts."""
    return Planner(parts.store, parts.providers, parts.oracle, parts.clock, LANGUAGE)


def inherited() -> dict[str, str]:
    """Return what processes may see of our own environment: enough to find programs, and no secret."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}
