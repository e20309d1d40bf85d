"""The providers that a stack declares, each with its program and the processes that all of them share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dirigent.app.stacks import Surrounding
from dirigent.model.resource import keeper_of
from dirigent.model.stack import ProviderSetup
from dirigent.ports import Vault
from dirigent.ports.resources import Managing
from dirigent.providers.tofu.finding.installed import installed
from dirigent.providers.tofu.finding.places import places_of
from dirigent.providers.tofu.provider.fleeting.lasting import Leases
from dirigent.providers.tofu.provider.pool import Pool, Program
from dirigent.providers.tofu.provider.provider import TofuProvider
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.sealing import Seal

# Our own settings, and what belongs to secrets, are none of a provider's business.
_OURS: Final = "DIRIGENT_"


def providers_of(around: Surrounding, vault: Vault, pool: Pool) -> dict[str, Managing]:
    """Return the providers of a stack under the keys by which they are found."""
    declared = around.stack.providers if around.stack else {}
    secrecy = Secrecy(vault, Seal(around.settings.key))
    leases = Leases(secrecy.seal)
    pool.before_end.append(leases.close)
    found: dict[str, Managing] = {}
    for name, setup in declared.items():
        program, gate = _Program(setup, around.folder), asyncio.Semaphore(setup.parallel)
        provider = TofuProvider(name, program, pool, secrecy, gate, leases)
        leases.lends[name] = provider.lend
        found[keeper_of("", name)] = provider
    return found


def pool_of(around: Surrounding) -> Pool:
    """Return the processes of all providers, which take paths from the folder of the stack: none yet."""
    return Pool(environment_of(around, os.environ), str(around.folder.absolute()))


def environment_of(around: Surrounding, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what providers see of our environment: they find their credentials there, as they do elsewhere.

    Not what the stack declares as a secret: that is sent to whom it is meant for.
    """
    hidden = {secret.at for secret in around.secrets.values() if secret.kind == "env"}
    return {
        name: value for name, value in environ.items() if name not in hidden and not name.startswith(_OURS)
    }


class _Program:
    """Finds the program of a provider, once."""

    def __init__(self, setup: ProviderSetup, folder: Path) -> None:
        self._setup = setup
        self._folder = folder
        self._found: Program | None = None
        self._looking = asyncio.Lock()

    async def __call__(self) -> Program:
        """Return the program. Raises `Refusal`."""
        if self._found is None:
            async with self._looking:
                if self._found is None:
                    self._found = await asyncio.to_thread(self._find)
        return self._found

    def _find(self) -> Program:
        found = installed(self._setup, places_of(self._folder, os.environ))
        return Program(found.source, str(found.program), found.digest, found.version)
