"""Providers from elsewhere, for the commands that lock and mirror them: over the guarded client, HTTPS only.

Rule: a host that the stack names as a source, or the environment as a mirror, may be on a private network;
where a registry sends us from there is guarded as every call is.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from dirigent.app.protocols.extras import require
from dirigent.app.stacks import Surrounding
from dirigent.model import limits
from dirigent.model.problem import refuse
from dirigent.model.stack import Network, ProviderSetup
from dirigent.providers.tofu.finding import locking, mirroring
from dirigent.providers.tofu.finding.choosing import wishes
from dirigent.providers.tofu.finding.lock.reading import locks_of, ours
from dirigent.providers.tofu.finding.locking import Outcome, Supply
from dirigent.providers.tofu.finding.mirroring import Mirrored
from dirigent.providers.tofu.finding.naming import Source, read_platform
from dirigent.providers.tofu.finding.origin import Folder, Origin
from dirigent.providers.tofu.finding.places import Places, places_of
from dirigent.providers.tofu.finding.web.asking import Answer, Unreachable, Web
from dirigent.providers.tofu.finding.web.mirror import NetworkMirror
from dirigent.providers.tofu.finding.web.registry import Registry
from dirigent.tasks.http.client import REDIRECTS, Arriving, Bounds, Client, Outgoing, joined
from dirigent.tasks.http.failure import CallFailed
from dirigent.tasks.http.tls.trust import Trust
from dirigent.tasks.secrets import EnvironmentVault

SIGNATURE: Final = "dirigent.providers.tofu.finding.web.signature"
# How Terraform and OpenTofu are told the token of a private registry.
TOKENS: Final = "TF_TOKEN_"
OK: Final = 200


class _Signing(Protocol):
    """The module that checks signatures; its library is an extra."""

    NotSigned: type[Exception]

    def signer(self, content: bytes, signature: bytes, keys: Sequence[str]) -> str:
        """Return who signed."""
        ...


async def lock(
    around: Surrounding, platforms: Sequence[str], say: Callable[[str], None], *, upgrade: bool = False
) -> tuple[list[Outcome], bool]:
    """Lock the providers of a stack, and bring those of this machine; return whether the lock was written.

    Raises:
        Refusal: E302x and E303x; then nothing is written.
    """
    supply = supply_of(around, say)
    wanted = _platforms(platforms, supply.places)
    known = locks_of(supply.places.folder)
    found = [
        await locking.lock(each, known.get(str(each.source)), wanted, supply, upgrade=upgrade)
        for each in wishes(_setups(around))
    ]
    if not found and not ours(supply.places.folder):
        return [], False
    return found, locking.write(supply.places.folder, [each.locked for each in found])


async def mirror(
    around: Surrounding, folder: Path, platforms: Sequence[str], say: Callable[[str], None]
) -> list[Mirrored]:
    """Bring the providers of a stack into a mirror. Raises `Refusal` (E302x, E303x)."""
    supply = supply_of(around, say)
    known = locks_of(supply.places.folder)
    return [
        await mirroring.mirror(
            each, known.get(str(each.source)), _platforms(platforms, supply.places), folder, supply
        )
        for each in wishes(_setups(around))
    ]


def supply_of(around: Surrounding, say: Callable[[str], None]) -> Supply:
    """Return where the providers of a stack are had from. Raises `Refusal` (E3038)."""
    places = places_of(around.folder, os.environ)
    web = GuardedWeb(around, os.environ, places)

    def origins(source: Source) -> list[Origin]:
        nets: list[Origin] = [NetworkMirror(url, web) for url in places.webs]
        # A network mirror stands in place of the registry: who has one may have it for a reason.
        return [
            *(Folder(each) for each in places.mirrors),
            *(nets or [Registry(source.host, web, signed_by)]),
        ]

    return Supply(places, origins, say)


def signed_by(content: bytes, signature: bytes, keys: Sequence[str]) -> str:
    """Return the key that signed. Raises `Refusal` (E3033, and E4140 without the library)."""
    require("the signature of a provider", "tofu", "pysequoia")
    signing: _Signing = importlib.import_module(SIGNATURE)
    try:
        return signing.signer(content, signature, keys)
    except signing.NotSigned as error:
        raise refuse(
            "E3033",
            f"the list of check sums is not signed by a key that the registry names: {error}",
            "nothing was fetched; tell who publishes the provider",
        ) from None


class GuardedWeb(Web):
    """Asks by the guarded client."""

    def __init__(self, around: Surrounding, environ: Mapping[str, str], places: Places) -> None:
        """Take what the stack says of its calls, and the environment, which may hold tokens."""
        stack = around.stack
        network = stack.network if stack is not None else Network()
        declared = [
            *(each.source.split("/")[0] for each in _setups(around)),
            *(urlsplit(url).netloc for url in places.webs),
            *(stack.hosts if stack is not None else ()),
        ]
        vault = EnvironmentVault(around.secrets, environ, around.folder)
        trust = Trust(network, str(around.folder.absolute()), vault)
        bounds = Bounds(network.connect_seconds or limits.HTTP_CONNECT_SECONDS)
        listing = replace(bounds, response_bytes=limits.PROVIDER_LIST_BYTES)
        fetching = replace(bounds, response_bytes=limits.PROVIDER_ARCHIVE_BYTES)
        self._tokens = {name: value for name, value in environ.items() if name.startswith(TOKENS) and value}
        self._client = Client(declared, bounds=listing, trust=trust)
        self._fetching = Client(declared, bounds=fetching, trust=trust)

    async def get(self, url: str) -> Answer:
        """Return an answer, redirects followed. Raises `Unreachable`."""
        for _ in range(limits.HTTP_REDIRECTS + 1):
            try:
                found = await self._client.send(Outgoing("GET", _secure(url), self._headers(url)))
                onward = _onward(found.status, found.header("location"), found.url)
            except CallFailed as failure:
                raise Unreachable(failure.fault.detail) from None
            if onward is None:
                return Answer(found.status, found.body, found.url)
            url = onward
        raise _circling()

    async def fetch(self, url: str, into: Path) -> int:
        """Write what lies there to a file. Raises `Unreachable`, `OSError`."""
        for _ in range(limits.HTTP_REDIRECTS + 1):
            try:
                # An archive lies where a link leads that needs no token, or is signed itself.
                asking = Outgoing("GET", _secure(url))
                async with self._fetching.opened(asking, seconds=limits.PROVIDER_FETCH_SECONDS) as arriving:
                    onward = _onward(arriving.status, arriving.header("location"), arriving.url)
                    if onward is None:
                        return await _written(arriving, into)
            except CallFailed as failure:
                raise Unreachable(failure.fault.detail) from None
            url = onward
        raise _circling()

    def _headers(self, url: str) -> tuple[tuple[str, str], ...]:
        """Return the token of the host that is asked, and of no other."""
        host = urlsplit(url).hostname or ""
        token = self._tokens.get(TOKENS + host.replace("-", "__").replace(".", "_"))
        return (
            ("Accept", "application/json, */*"),
            *((("Authorization", f"Bearer {token}"),) if token else ()),
        )


async def _written(arriving: Arriving, into: Path) -> int:
    if arriving.status == OK:
        with into.open("wb") as stream:
            async for chunk in arriving.chunks:
                stream.write(chunk)
    return arriving.status


def _onward(status: int, location: str, came_from: str) -> str | None:
    return joined(came_from, location) if status in REDIRECTS and location else None


def _secure(url: str) -> str:
    if not url.lower().startswith("https://"):
        raise Unreachable(f"it leads to `{url[:200]}`, and providers come over https alone")
    return url


def _circling() -> Unreachable:
    return Unreachable(f"it redirects more than {limits.HTTP_REDIRECTS} times")


def _setups(around: Surrounding) -> list[ProviderSetup]:
    return list(around.stack.providers.values()) if around.stack is not None else []


def _platforms(named: Sequence[str], places: Places) -> list[str]:
    """Return the platforms that are meant: those that are named, else this machine's."""
    return list(dict.fromkeys(read_platform(each) for each in named)) or [places.platform]
