"""The protocol of registries: discovery, versions, and packages with check sums and signatures.

Rule: a package is taken when its check sum stands in a file that one of the named keys has signed. Only the
registry that sources without a host mean may leave the signature out, as it does with OpenTofu.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from dirigent.lang.stack.outside.providers import REGISTRY
from dirigent.model.problem import Refusal, refuse
from dirigent.model.values import Value
from dirigent.providers.tofu.finding.disk.hashes import ARCHIVE
from dirigent.providers.tofu.finding.naming import Source, archive_name
from dirigent.providers.tofu.finding.origin import Package
from dirigent.providers.tofu.finding.web.asking import Web, absolute, asked, got, objects, texts, unusable
from dirigent.providers.tofu.finding.web.bringing import brought
from dirigent.providers.tofu.finding.web.sums import by_platform, read_sums

# Returns who signed, or raises `Refusal` (E3033, E3035). Takes what is signed, the signature, and the keys.
Verify: TypeAlias = Callable[[bytes, bytes, Sequence[str]], str]
SERVICE: Final = "providers.v1"
SPOKEN: Final = ("5", "6")


class Registry:
    """The registry of one host, which is asked what it offers once."""

    def __init__(self, host: str, web: Web, verify: Verify) -> None:
        """Take the host, who asks, and who checks signatures."""
        self.host = host
        self._web = web
        self._verify = verify
        self._root = ""

    @property
    def name(self) -> str:
        """Return its host."""
        return self.host

    async def versions(self, source: Source) -> Mapping[str, frozenset[str]] | None:
        """Return the versions whose protocol we speak, with their platforms."""
        url = f"{await self._service()}{source.namespace}/{source.type}/versions"
        found = await asked(self._web, url)
        if found is None:
            return None
        return {
            str(each.get("version")): frozenset(
                f"{one.get('os')}_{one.get('arch')}" for one in objects(each.get("platforms"))
            )
            for each in objects(found[0].get("versions"))
            if _spoken(each.get("protocols"))
        }

    async def package(self, source: Source, version: str, platform: str) -> Package | None:
        """Return a package whose check sum is signed."""
        system, _, processor = platform.partition("_")
        url = (
            f"{await self._service()}{source.namespace}/{source.type}/{version}/download/{system}/{processor}"
        )
        answer = await asked(self._web, url)
        if answer is None:
            return None
        found, came_from = answer
        place, digest = absolute(came_from, found.get("download_url")), str(found.get("shasum", "")).lower()
        if not place or not digest:
            raise unusable(url, "it names no `download_url`, or no `shasum`")
        sums, signed = await self._sums(found, came_from)
        name = str(found.get("filename") or archive_name(source, version, platform))
        if sums.get(name) != digest:
            raise refuse(
                "E3032",
                f"`{self.host}` says that `{name}` has the check sum {digest}, and its signed list says "
                f"{sums.get(name, 'nothing of it')}",
                "nothing was fetched; tell who runs the registry",
            )
        others = by_platform(sums, source, version)
        return Package(source, version, platform, place, frozenset({ARCHIVE + digest}), others, signed)

    async def bring(self, package: Package, into: Path) -> Path:
        """Fetch an archive."""
        return await brought(self._web, package, into)

    async def _service(self) -> str:
        if not self._root:
            url = f"https://{self.host}/.well-known/terraform.json"
            answer = await asked(self._web, url)
            root = absolute(answer[1], answer[0].get(SERVICE)) if answer else ""
            if not root:
                raise unusable(url, f"`{self.host}` is no registry of providers: it offers no `{SERVICE}`")
            self._root = root.rstrip("/") + "/"
        return self._root

    async def _sums(self, found: Mapping[str, Value], came_from: str) -> tuple[dict[str, str], str]:
        """Return the signed list of check sums, and who signed it."""
        content = await self._part(found, "shasums_url", came_from)
        signing = found.get("signing_keys")
        listed = signing.get("gpg_public_keys") if isinstance(signing, dict) else None
        keys = texts([each.get("ascii_armor") for each in objects(listed)])
        if not keys:
            if self.host == REGISTRY:
                return read_sums(content), ""
            raise self._unsigned("it names no key that signs its providers")
        signature = await self._part(found, "shasums_signature_url", came_from)
        return read_sums(content), self._verify(content, signature, keys)

    async def _part(self, found: Mapping[str, Value], key: str, came_from: str) -> bytes:
        url = absolute(came_from, found.get(key))
        answer = await got(self._web, url) if url else None
        if answer is None:
            raise self._unsigned(f"its `{key}` leads nowhere")
        return answer.body

    def _unsigned(self, why: str) -> Refusal:
        return refuse(
            "E3033",
            f"the provider of `{self.host}` is not signed: {why}",
            "only a mirror that you trust may give providers without a signature",
        )


def _spoken(protocols: Value) -> bool:
    """Return whether we speak one of the versions of the protocol; who names none may."""
    named = texts(protocols)
    return not named or any(each.partition(".")[0] in SPOKEN for each in named)
