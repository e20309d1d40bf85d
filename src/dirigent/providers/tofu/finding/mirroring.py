"""To fill a mirror: a folder in the layout of the cache, which a web server can offer as a network mirror."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.providers.tofu.finding import choosing
from dirigent.providers.tofu.finding.choosing import Choice, Wish, chosen, unmade
from dirigent.providers.tofu.finding.disk.archive import BadArchive, content_in
from dirigent.providers.tofu.finding.disk.folders import lying, unpacked_place
from dirigent.providers.tofu.finding.disk.hashes import ARCHIVE, digest_of
from dirigent.providers.tofu.finding.lock.shape import Locked
from dirigent.providers.tofu.finding.locking import Supply
from dirigent.providers.tofu.finding.naming import Source, archive_name
from dirigent.providers.tofu.finding.origin import Origin, Package
from dirigent.providers.tofu.finding.taking import Taken, taken


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A provider in a mirror: its archives, or folders where its origin has no archive."""

    source: Source
    version: str
    origin: str
    paths: tuple[Path, ...]


async def mirror(
    wish: Wish, known: Locked | None, platforms: Sequence[str], folder: Path, supply: Supply
) -> Mirrored:
    """Bring a provider for platforms into a mirror: the version that is locked, else the newest that will do.

    Raises:
        Refusal: with the reason, as `chosen` and `taken` do, and E3036 when the folder cannot be written.
    """
    kept = known if known is not None and wish.keeps(known) else None
    origins = supply.origins(wish.source)
    choice = await _choice(wish, kept, origins, platforms)
    supply.say(f"{wish.source} {choice.version} from {choice.origin.name}")
    paths = [await _laid(wish, choice, platform, kept, folder) for platform in platforms]
    _listed(folder, wish.source)
    return Mirrored(wish.source, choice.version, choice.origin.name, tuple(paths))


async def _choice(
    wish: Wish, kept: Locked | None, origins: Sequence[Origin], platforms: Sequence[str]
) -> Choice:
    if kept is None:
        return await chosen(wish, origins, platforms)
    return await choosing.kept(wish, kept, origins, platforms)


async def _laid(wish: Wish, choice: Choice, platform: str, kept: Locked | None, folder: Path) -> Path:
    package = await choice.origin.package(wish.source, choice.version, platform)
    if package is None:
        raise unmade(wish, choice.version, platform)
    place = folder / str(wish.source) / archive_name(wish.source, choice.version, platform)
    aside = place.with_name(f".{place.name}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        found = await taken(package, choice.origin, kept, aside)
        return _placed(found, package, place, folder)
    except OSError as error:
        raise refuse(
            "E3036",
            f"`{folder}` cannot be written: {(error.strerror or str(error)).lower()}",
            "name a folder that you may write to, with room in it",
        ) from None
    finally:
        aside.unlink(missing_ok=True)


def _placed(found: Taken, package: Package, place: Path, folder: Path) -> Path:
    if found.packed:
        return found.path.replace(place)
    where = unpacked_place(folder, package.source, package.version, package.platform)
    if found.path.resolve() != where.resolve():
        shutil.copytree(found.path, where, dirs_exist_ok=True)
    return where


def _listed(folder: Path, source: Source) -> None:
    """Write the lists of the protocol of network mirrors, of all archives that lie here."""
    archives: dict[str, dict[str, object]] = {}
    for each in lying(folder, source):
        try:
            if each.packed:
                hashes = [content_in(each.path).h1, ARCHIVE + digest_of(each.path)]
                listed = {"url": each.path.name, "hashes": hashes}
                archives.setdefault(each.version.text, {})[each.platform] = listed
        except BadArchive:
            # What somebody else has laid here is not offered.
            continue
    place = folder / str(source)
    for version, found in archives.items():
        _write(place / f"{version}.json", {"archives": found})
    if archives:
        _write(place / "index.json", {"versions": {version: {} for version in archives}})


def _write(place: Path, content: object) -> None:
    place.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
