"""A package, brought and held against what was promised and what is locked."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.providers.tofu.finding.disk.archive import BadArchive, content_in
from dirigent.providers.tofu.finding.disk.hashes import ARCHIVE, Unhashable, content_of, digest_of
from dirigent.providers.tofu.finding.lock.shape import ANY, Locked
from dirigent.providers.tofu.finding.origin import Origin, Package


@dataclass(frozen=True, slots=True)
class Taken:
    """What was brought: an archive, or a folder, with its hashes."""

    path: Path
    hashes: tuple[str, ...]

    @property
    def packed(self) -> bool:
        """Return whether it is an archive."""
        return self.path.is_file()


async def taken(package: Package, origin: Origin, locked: Locked | None, into: Path) -> Taken:
    """Bring a package and return it when it is what it should be.

    Raises:
        Refusal: E3032 not what its origin has promised, E3026 not what is locked, E3034 no archive of a
            provider, and what the origin raises.
    """
    path = await origin.bring(package, into)
    what = f"`{package.source}` {package.version} for {package.platform}, from `{origin.name}`,"
    # A wrong archive may be made to hurt who reads it, so its check sum is looked at first.
    first = await asyncio.to_thread(_of_archive, path)
    if package.promised and all(each.startswith(ARCHIVE) for each in package.promised):
        _keep_promise(package, what, first)
    try:
        hashes = (await asyncio.to_thread(_of_content, path), *first)
    except BadArchive as error:
        raise refuse(
            "E3034", f"the archive of {what} {error}", "nothing of it was kept; try another place"
        ) from None
    except Unhashable as error:
        raise refuse("E3034", f"the folder of {what} cannot be used: {error}", "bring it anew") from None
    _keep_promise(package, what, hashes)
    known = () if locked is None else (*locked.hashes.get(package.platform, ()), *locked.hashes.get(ANY, ()))
    if known and not set(known) & set(hashes):
        raise refuse(
            "E3026",
            f"{what} is not what the lock names: it has {' and '.join(hashes)}",
            "a version never changes once it is published: find out why this one did",
            "to take it all the same, remove its entry from the lock",
        )
    return Taken(path, hashes)


def _keep_promise(package: Package, what: str, hashes: tuple[str, ...]) -> None:
    if package.promised and not package.promised & set(hashes):
        raise refuse(
            "E3032",
            f"{what} has the hashes {' and '.join(hashes)}, which is not what was promised: "
            f"{', '.join(sorted(package.promised))}",
            "nothing of it was kept; try again, and tell who runs that place",
        )


def _of_archive(path: Path) -> tuple[str, ...]:
    return (ARCHIVE + digest_of(path),) if path.is_file() else ()


def _of_content(path: Path) -> str:
    return content_of(path).h1 if path.is_dir() else content_in(path).h1
