"""Where a provider may be had from: folders, network mirrors, registries, all by the same questions."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Protocol

from dirigent.model.record import dataclass
from dirigent.providers.tofu.finding.disk.cache import unwritable
from dirigent.providers.tofu.finding.disk.folders import lying
from dirigent.providers.tofu.finding.naming import Source


@dataclass(frozen=True, slots=True)
class Package:
    """A provider for one platform, where it is. `place` is a path, or a URL.

    `promised` are hashes of which the origin says that at least one is right; `others` those of further
    platforms of the same version, learnt by the way. `signed` says by which key the promise is signed.
    """

    source: Source
    version: str
    platform: str
    place: str
    promised: frozenset[str] = frozenset()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signed: str = ""


class Origin(Protocol):
    """One place that has providers. Every question may raise `Refusal`."""

    @property
    def name(self) -> str:
        """Return what people know it by."""
        ...

    async def versions(self, source: Source) -> Mapping[str, frozenset[str]] | None:
        """Return the platforms of each version (none if untold), or None for an unknown provider."""
        ...

    async def package(self, source: Source, version: str, platform: str) -> Package | None:
        """Return a package, its promise checked as far as that goes without it; None where there is none."""
        ...

    async def bring(self, package: Package, into: Path) -> Path:
        """Return a file or folder that holds it: what lies elsewhere is fetched to `into`."""
        ...


class Folder:
    """A mirror that is a folder. It promises nothing: the lock says what is right."""

    def __init__(self, root: Path) -> None:
        """Keep the place."""
        self.root = root

    @property
    def name(self) -> str:
        """Return its path."""
        return str(self.root)

    async def versions(self, source: Source) -> Mapping[str, frozenset[str]] | None:
        """Return the platforms of each version."""
        found: dict[str, frozenset[str]] = {}
        for each in lying(self.root, source):
            found[each.version.text] = found.get(each.version.text, frozenset()) | {each.platform}
        return found or None

    async def package(self, source: Source, version: str, platform: str) -> Package | None:
        """Return what lies here; an archive comes before a folder, for its hash says more."""
        found = [
            each
            for each in lying(self.root, source)
            if (each.version.text, each.platform) == (version, platform)
        ]
        best = next((each for each in found if each.packed), found[0] if found else None)
        return Package(source, version, platform, str(best.path)) if best else None

    async def bring(self, package: Package, into: Path) -> Path:
        """Return a copy of the archive, or the folder itself: a copy cannot change while it is looked at."""
        return await asyncio.to_thread(_copied, Path(package.place), into)


def _copied(place: Path, into: Path) -> Path:
    if place.is_dir():
        return place
    try:
        return Path(shutil.copyfile(place, into))
    except OSError as error:
        raise unwritable(into, error) from None
