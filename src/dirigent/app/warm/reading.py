"""Stacks that stay read: as long as no file of theirs changes, and no program of their providers.

Law: what is answered is what reading anew would answer: the content of a file says whether it changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from dirigent.app.resources import TYPES
from dirigent.app.types.known import offers
from dirigent.lang.stack import Offer, Offers
from dirigent.model.ids import Digest, digest_of
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.installed import Installed, installed
from dirigent.providers.tofu.finding.places import places_of
from dirigent.service import stacks
from dirigent.service.documents import content_of, text_or_none
from dirigent.service.stacks import Loaded, Source

# Stacks of ten thousand resources take up some hundred megabytes.
KEPT: Final = 4


@dataclass(frozen=True, slots=True)
class Known:
    """A stack, with the digests of the files that were read for it, and the programs of its providers."""

    loaded: Loaded
    content: Digest
    files: dict[Path, Digest | None]
    found: dict[str, tuple[ProviderSetup, Installed]]

    @property
    def programs(self) -> dict[str, str]:
        """Return the digests of the programs by the names of the providers; empty where none was found."""
        named = {setup.name: program.digest for setup, program in self.found.values()}
        return {name: named.get(name, "") for name in self.loaded.stack.providers}


@dataclass(slots=True)
class Library:
    """The stacks that were read last, by the folder and the name under which they are shown."""

    _kept: dict[tuple[str, Path], Known] = field(default_factory=dict)

    def read(self, file: Path, shown: str) -> Known:
        """Return a stack as `service.stacks.load_stack` does; blocks as long. Raises `Refusal`."""
        content = _content(file, shown)
        key = (shown, file.parent)
        kept = self._kept.get(key)
        if kept is not None and kept.content == digest_of(content) and _stands(kept, file.parent):
            return kept
        self._kept.pop(key, None)
        kept = _read(content, file, shown)
        while len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = kept
        return kept


def _content(file: Path, shown: str) -> bytes:
    """Return the content of a file; what is wrong with it is told of the name that is shown."""
    try:
        return content_of(file)
    except Refusal as refusal:
        raise Refusal(
            Problem(each.code, each.message.replace(f"`{file}`", f"`{shown}`"), each.at, help=each.help)
            for each in refusal.problems
        ) from None


def _read(content: bytes, file: Path, shown: str) -> Known:
    files: dict[Path, Digest | None] = {}
    found: dict[str, tuple[ProviderSetup, Installed]] = {}

    def noted(path: Path) -> str | None:
        text = text_or_none(path)
        files[path] = None if text is None else digest_of(text.encode())
        return text

    loaded = stacks.read_loaded(
        content, Source(shown, file.parent, noted), TYPES, _noting(file.parent, found)
    )
    return Known(loaded, digest_of(content), files, found)


def _noting(folder: Path, found: dict[str, tuple[ProviderSetup, Installed]]) -> Offers:
    """Return what tells of providers, and notes the programs that it told of."""
    tells = offers(folder, strict=True)

    def known(declared: Mapping[str, ProviderSetup]) -> Mapping[str, Offer | Problem | None]:
        told = tells(declared)
        for name, each in told.items():
            if not isinstance(each, Problem):
                setup = declared[name]
                found[f"{name} {setup.source} {setup.version}"] = (setup, _program(setup, folder))
        return told

    return known


def _stands(kept: Known, folder: Path) -> bool:
    """Return whether everything is as it was when a stack was read."""
    for path, digest in kept.files.items():
        text = text_or_none(path)
        if (None if text is None else digest_of(text.encode())) != digest:
            return False
    try:
        return all(_program(setup, folder) == program for setup, program in kept.found.values())
    except Refusal:
        return False


def _program(setup: ProviderSetup, folder: Path) -> Installed:
    return installed(setup, places_of(folder, os.environ))
