"""To lock: choose versions, bring them, hold them against each other, and write all down at once.

Rule: a lock is written when everything in it was brought and checked; else nothing is written.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding import choosing
from dirigent.providers.tofu.finding.choosing import Choice, Origins, Wish, chosen, unmade
from dirigent.providers.tofu.finding.disk.cache import (
    keep_archive,
    keep_folder,
    sweep,
    unwritable,
    working_folder,
)
from dirigent.providers.tofu.finding.disk.folders import unpacked_place
from dirigent.providers.tofu.finding.disk.hashes import CONTENT
from dirigent.providers.tofu.finding.installed import installed
from dirigent.providers.tofu.finding.lock import document
from dirigent.providers.tofu.finding.lock.shape import Locked, joined
from dirigent.providers.tofu.finding.origin import Folder, Origin, Package
from dirigent.providers.tofu.finding.places import Places
from dirigent.providers.tofu.finding.taking import Taken, taken


@dataclass(frozen=True, slots=True)
class Supply:
    """Where providers are had from: what lies here, who else is asked, and whom to tell what is going on."""

    places: Places
    origins: Origins
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of locking one provider. `before` is the version that was locked, empty for none.

    `origin` is where it was had from, empty when all was here; `signed` the key that signed, if one did.
    """

    locked: Locked
    before: str
    origin: str = ""
    signed: str = ""


async def lock(
    wish: Wish, known: Locked | None, platforms: Sequence[str], supply: Supply, *, upgrade: bool = False
) -> Outcome:
    """Return a provider locked for platforms, and bring it for this machine.

    `known` is what is locked: it is kept as long as it will do and no newer one is asked for.

    Raises:
        Refusal: with the reason, as `chosen` and `taken` do, and E3036 when the cache cannot be written.
    """
    before = known.version if known is not None else ""
    kept = known if known is not None and wish.keeps(known) and not upgrade else None
    if kept is not None and _settled(wish, kept, platforms, supply.places):
        return Outcome(_renewed(wish, kept), before)
    choice = await _choice(wish, kept, platforms, supply)
    supply.say(f"{wish.source} {choice.version} from {choice.origin.name}")
    hashes, signed = dict(kept.hashes) if kept is not None else {}, ""
    for platform in platforms:
        package = await choice.origin.package(wish.source, choice.version, platform)
        if package is None:
            raise unmade(wish, choice.version, platform)
        found = await _brought(package, choice.origin, kept, supply.places)
        hashes = joined(joined(hashes, package.others), {platform: found})
        signed = package.signed
    locked = Locked(str(wish.source), choice.version, wish.constraints, hashes, document.NAME)
    return Outcome(locked, before, choice.origin.name, signed)


def write(folder: Path, locked: Iterable[Locked]) -> bool:
    """Write the lock beside a stack if it differs from what stands there; return whether it did.

    Raises:
        Refusal: E3036.
    """
    place, text = folder / document.NAME, document.write_lock(locked).encode()
    try:
        if place.exists() and place.read_bytes() == text:
            return False
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(place)
    except OSError as error:
        raise refuse(
            "E3036",
            f"`{place}` cannot be written: {(error.strerror or str(error)).lower()}",
            "make the folder of the stack one that you may write to",
        ) from None
    return True


def _settled(wish: Wish, kept: Locked, platforms: Sequence[str], places: Places) -> bool:
    """Return whether all that is asked for is locked by content, and lies on this machine."""
    if not all(any(each.startswith(CONTENT) for each in kept.hashes.get(one, ())) for one in platforms):
        return False
    if places.platform not in platforms:
        return True
    try:
        installed(ProviderSetup("", str(wish.source), wish.constraints), places)
    except Refusal:
        return False
    return True


def _renewed(wish: Wish, kept: Locked) -> Locked:
    return Locked(kept.source, kept.version, wish.constraints, kept.hashes, document.NAME)


async def _choice(wish: Wish, kept: Locked | None, platforms: Sequence[str], supply: Supply) -> Choice:
    """Return what is locked, wherever it lies, the cache included; else the newest that will do."""
    origins = supply.origins(wish.source)
    if kept is None:
        return await chosen(wish, origins, platforms)
    return await choosing.kept(wish, kept, (Folder(supply.places.cache), *origins), platforms)


async def _brought(package: Package, origin: Origin, kept: Locked | None, places: Places) -> tuple[str, ...]:
    """Return the hashes of a package; that of this machine is kept, unless it runs from where it lies."""
    if _runs_there(package, places) and Path(package.place).suffix != ".zip":
        return (await taken(package, origin, kept, Path(package.place))).hashes
    try:
        places.cache.mkdir(parents=True, exist_ok=True)
        sweep(places.cache)
        with working_folder(places.cache) as aside:
            found = await taken(package, origin, kept, aside / "archive.zip")
            if package.platform == places.platform and not _runs_there(package, places):
                await asyncio.to_thread(_kept, package, found, places)
    except OSError as error:
        raise unwritable(places.cache, error) from None
    return found.hashes


def _runs_there(package: Package, places: Places) -> bool:
    return any(Path(package.place).is_relative_to(each) for each in (*places.mirrors, places.cache))


def _kept(package: Package, found: Taken, places: Places) -> None:
    place = unpacked_place(places.cache, package.source, package.version, package.platform)
    if found.packed:
        keep_archive(found.path, place)
    else:
        keep_folder(found.path, place)
