"""Where providers are looked for, as the environment and the folder of a stack say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.naming import is_local, this_platform

MIRRORS: Final = "DIRIGENT_PROVIDERS"
PROGRAMS: Final = "DIRIGENT_PROVIDER_"
CACHE: Final = "DIRIGENT_CACHE"
BESIDE: Final = "providers"
_SECURE: Final = "https://"


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look. `folder` is that of the stack: its locks lie there, and local sources start there.

    `mirrors` are folders, `webs` URLs of network mirrors that end in `/`, `programs` the program to take in
    place of a provider, by the name of its entry.
    """

    folder: Path
    cache: Path
    mirrors: tuple[Path, ...] = ()
    webs: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""

    def program(self, setup: ProviderSetup) -> Path | None:
        """Return the program that is named in place of a provider, None where none is."""
        named = self.programs.get(_variable(setup.of or setup.name)) or (
            setup.source if is_local(setup.source) else ""
        )
        return Path(os.path.normpath(self.folder.absolute() / named)) if named else None


def places_of(folder: Path, environment: Mapping[str, str]) -> Places:
    """Return where to look for the providers of a stack. Raises `Refusal` (E3038)."""
    mirrors, webs = [folder / BESIDE], []
    for each in filter(None, (part.strip() for part in environment.get(MIRRORS, "").split(","))):
        if each.startswith(_SECURE):
            webs.append(each.rstrip("/") + "/")
        elif "://" in each:
            raise refuse(
                "E3038",
                f"`{each}` in `{MIRRORS}` is not a mirror",
                "name folders, and network mirrors as `https://HOST/PATH/`, with commas between them",
            )
        else:
            mirrors.append(folder / Path(each).expanduser())
    return Places(
        folder,
        _cache(environment),
        tuple(mirrors),
        tuple(webs),
        {
            name.removeprefix(PROGRAMS): value
            for name, value in environment.items()
            if name.startswith(PROGRAMS) and value
        },
        this_platform(),
    )


def _cache(environment: Mapping[str, str]) -> Path:
    """Return the folder of what is fetched: one for all stacks of a user."""
    named = environment.get(CACHE)
    if named:
        return Path(named).expanduser().absolute() / "providers"
    home = environment.get("XDG_CACHE_HOME") or str(
        Path(environment.get("HOME", "~")).expanduser() / ".cache"
    )
    return Path(home) / "dirigent" / "providers"


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
