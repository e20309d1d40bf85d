"""Mirrors that are folders, and the cache, which is laid out as one.

Below HOST/NAMESPACE/TYPE/ lies an unpacked one as VERSION/OS_ARCH/, and a packed one as
terraform-provider-TYPE_VERSION_OS_ARCH.zip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dirigent.lang.stack.outside.versions import NoVersion, Version, read_version
from dirigent.model.record import dataclass
from dirigent.providers.tofu.finding.naming import PROGRAM, Source


@dataclass(frozen=True, slots=True)
class Lying:
    """A provider that lies in a folder: a folder of files, or an archive."""

    version: Version
    platform: str
    path: Path
    packed: bool


def lying(root: Path, source: Source) -> list[Lying]:
    """Return all that a mirror holds of a provider, by name. What has other names is none of ours."""
    return [*_unpacked(root / str(source)), *_packed(root / str(source), source)]


def sources_in(root: Path) -> list[Source]:
    """Return the providers of which a mirror may hold something."""
    return [Source(*path.relative_to(root).parts) for path in sorted(root.glob("*/*/*")) if path.is_dir()]


def unpacked_place(root: Path, source: Source, version: str, platform: str) -> Path:
    """Return the folder that an unpacked provider has below a root."""
    return root / str(source) / version / platform


def _unpacked(place: Path) -> Iterator[Lying]:
    for version in _listed(place):
        # A name that begins with a dot is a provider on its way into the cache.
        found = _version(version.name)
        if found is not None and version.is_dir():
            yield from (
                Lying(found, each.name, each, packed=False)
                for each in _listed(version)
                if each.is_dir() and not each.name.startswith(".")
            )


def _packed(place: Path, source: Source) -> Iterator[Lying]:
    start = f"{PROGRAM}{source.type}_"
    for path in _listed(place):
        version, _, platform = path.name.removeprefix(start).removesuffix(".zip").partition("_")
        found = _version(version)
        if path.name.startswith(start) and path.suffix == ".zip" and found is not None and platform:
            yield Lying(found, platform, path, packed=True)


def _listed(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _version(text: str) -> Version | None:
    try:
        return read_version(text)
    except NoVersion:
        return None
