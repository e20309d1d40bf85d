"""The program of a provider, ready to be started: what is locked, lies here, and has the locked content.

Rule: every file of it is hashed at each call. Nothing is fetched and nothing is asked of a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dirigent.lang.stack.outside.versions import NoVersion, read_constraints, read_version
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.disk.archive import BadArchive, content_in
from dirigent.providers.tofu.finding.disk.cache import holds, keep_archive
from dirigent.providers.tofu.finding.disk.executable import Unrunnable, program_in, sound
from dirigent.providers.tofu.finding.disk.folders import Lying, lying, unpacked_place
from dirigent.providers.tofu.finding.disk.hashes import ARCHIVE, Content, Unhashable, content_of, digest_of
from dirigent.providers.tofu.finding.lock.reading import locks_of
from dirigent.providers.tofu.finding.lock.shape import Locked
from dirigent.providers.tofu.finding.naming import Source, source_of
from dirigent.providers.tofu.finding.places import Places

LOCAL_VERSION: Final = "local"
_LOCK: Final = "`dirigent providers lock` brings it, and writes what it has found to `dirigent.lock`"


@dataclass(frozen=True, slots=True)
class Installed:
    """A provider that can be started. `digest` is the SHA-256 of its program in hex.

    `version` is `local` for a program that stands in place of a provider, and has no version.
    """

    source: str
    version: str
    program: Path
    digest: str


def installed(setup: ProviderSetup, places: Places) -> Installed:
    """Return the provider of a configuration. Blocks for as long as its files take to be hashed.

    Raises:
        Refusal: E3022 a lock that cannot be read, E3023 not locked, E3024 locked at another version than the
            stack wants, E3025 not on this machine, E3026 not what is locked, E3027 no program that runs here,
            E3034 an archive that cannot be unpacked, E3036 a cache that cannot be written.
    """
    program = places.program(setup)
    if program is not None:
        return _local(setup, program, places)
    source = source_of(setup.source)
    locked = _locked(setup, places)
    refused: list[str] = []
    for folder in _folders(source, locked, places):
        found = _of(folder, source, locked, refused)
        if found is not None:
            return _ready(locked, *found, setup, places)
    for archive in _archives(source, locked, places, refused):
        place = unpacked_place(places.cache, source, locked.version, places.platform)
        return _ready(locked, *_unpacked(archive, place, source), setup, places)
    raise _absent(setup, locked, places, refused)


def _local(setup: ProviderSetup, program: Path, places: Places) -> Installed:
    try:
        sound(program, places.platform)
        return Installed(setup.source, LOCAL_VERSION, program, digest_of(program))
    except (Unrunnable, OSError) as error:
        raise _unrunnable(setup, program, error) from None


def _locked(setup: ProviderSetup, places: Places) -> Locked:
    locked = locks_of(places.folder).get(setup.source)
    if locked is None:
        raise refuse("E3023", f"the provider `{setup.source}` is not locked", _LOCK, at=setup.span)
    try:
        allowed = read_constraints(setup.version).allows(read_version(locked.version))
    except NoVersion as error:
        raise refuse("E3020", f"the provider `{setup.source}`: {error}", at=setup.span) from None
    if not allowed:
        raise refuse(
            "E3024",
            f"`{setup.source}` is locked at {locked.version}, and the stack wants `{setup.version}`",
            "`dirigent providers lock` locks a version that the stack wants",
            at=setup.span,
        )
    return locked


def _folders(source: Source, locked: Locked, places: Places) -> Iterator[Path]:
    """Yield the folders that may hold it: the cache first, which nobody but us writes to."""
    for root in (places.cache, *places.mirrors):
        folder = unpacked_place(root, source, locked.version, places.platform)
        if folder.is_dir():
            yield folder


def _of(folder: Path, source: Source, locked: Locked, refused: list[str]) -> tuple[Path, str] | None:
    """Return the program of a folder whose content is locked, with its digest; else note why not."""
    try:
        content = content_of(folder)
        if content.h1 in locked.all:
            return _program(folder, source, content)
        refused.append(f"`{folder}` has the hash {content.h1}")
    except (OSError, Unhashable) as error:
        refused.append(f"`{folder}`: {error}")
    return None


def _program(folder: Path, source: Source, content: Content) -> tuple[Path, str]:
    try:
        program = program_in(folder, source)
    except Unrunnable as error:
        raise refuse(
            "E3027", f"the provider `{source}` cannot be started: `{folder}` {error}", _LOCK
        ) from None
    return program, content.files[program.name]


def _archives(source: Source, locked: Locked, places: Places, refused: list[str]) -> Iterator[Lying]:
    """Yield the archives in mirrors that are locked as they are, or whose content is."""
    for root in places.mirrors:
        for each in lying(root, source):
            if not each.packed or (each.version.text, each.platform) != (locked.version, places.platform):
                continue
            try:
                if ARCHIVE + digest_of(each.path) in locked.all or content_in(each.path).h1 in locked.all:
                    yield each
                else:
                    refused.append(f"`{each.path}` is another archive")
            except (BadArchive, OSError) as error:
                refused.append(f"`{each.path}`: {error}")


def _unpacked(archive: Lying, place: Path, source: Source) -> tuple[Path, str]:
    try:
        content = content_in(archive.path)
        if not holds(place, content):
            keep_archive(archive.path, place)
        return _program(place, source, content)
    except BadArchive as error:
        raise refuse("E3034", f"`{archive.path}` {error}", "bring the archive anew") from None


def _ready(locked: Locked, program: Path, digest: str, setup: ProviderSetup, places: Places) -> Installed:
    try:
        sound(program, places.platform)
    except (Unrunnable, OSError) as error:
        raise _unrunnable(setup, program, error) from None
    # Whoever starts it stands in another folder.
    return Installed(setup.source, locked.version, program.absolute(), digest)


def _absent(setup: ProviderSetup, locked: Locked, places: Places, refused: list[str]) -> Refusal:
    what = f"the provider `{setup.source}` {locked.version}"
    if refused:
        return refuse(
            "E3026",
            f"{what} is not what `{locked.file}` names: {'; '.join(refused)}",
            "nothing of it was started; if it lies in the cache, `dirigent providers lock` brings it anew",
            "if you mean to run it as it is, remove its entry from the lock, and lock it again",
            at=setup.span,
        )
    return refuse(
        "E3025",
        f"{what} is not on this machine for {places.platform}",
        "`dirigent providers lock` brings it, at the version that is locked",
        "without a network, lay it in a mirror: the folder `providers` beside the stack, or one that "
        "`DIRIGENT_PROVIDERS` names",
        at=setup.span,
    )


def _unrunnable(setup: ProviderSetup, program: Path, error: Unrunnable | OSError) -> Refusal:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return refuse(
        "E3027",
        f"the provider `{setup.name}` cannot be started: `{program}` {words}",
        "build it, or bring one, for this machine",
        at=setup.span,
    )
