"""The protocol of network mirrors: lists of versions and archives as files below one URL.

Rule: a mirror is trusted for what it gives the first time; from then on the lock says what is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dirigent.model.values import Value
from dirigent.providers.tofu.finding.disk.hashes import ARCHIVE, CONTENT
from dirigent.providers.tofu.finding.naming import Source
from dirigent.providers.tofu.finding.origin import Package
from dirigent.providers.tofu.finding.web.asking import Web, absolute, asked, texts, unusable
from dirigent.providers.tofu.finding.web.bringing import brought


class NetworkMirror:
    """A mirror below a URL that ends in `/`."""

    def __init__(self, url: str, web: Web) -> None:
        """Take the URL, and who asks."""
        self._url = url
        self._web = web

    @property
    def name(self) -> str:
        """Return its URL."""
        return self._url

    async def versions(self, source: Source) -> Mapping[str, frozenset[str]] | None:
        """Return the versions; what platforms each has, only its own list says."""
        found = await asked(self._web, f"{self._url}{source}/index.json")
        if found is None:
            return None
        versions = found[0].get("versions")
        return dict.fromkeys(versions, frozenset()) if isinstance(versions, dict) else {}

    async def package(self, source: Source, version: str, platform: str) -> Package | None:
        """Return a package with the hashes that the mirror names, if it does."""
        answer = await asked(self._web, f"{self._url}{source}/{version}.json")
        if answer is None:
            return None
        found, came_from = answer
        archives = found.get("archives")
        entry = archives.get(platform) if isinstance(archives, dict) else None
        if not isinstance(entry, dict):
            return None
        place = absolute(came_from, entry.get("url"))
        if not place:
            raise unusable(came_from, f"it names no `url` of the archive for {platform}")
        return Package(source, version, platform, place, frozenset(_hashes(entry)))

    async def bring(self, package: Package, into: Path) -> Path:
        """Fetch an archive."""
        return await brought(self._web, package, into)


def _hashes(entry: Value) -> tuple[str, ...]:
    """Return the hashes of a kind that we can check."""
    found = texts(entry.get("hashes")) if isinstance(entry, dict) else ()
    return tuple(each for each in found if each.startswith((ARCHIVE, CONTENT)))
