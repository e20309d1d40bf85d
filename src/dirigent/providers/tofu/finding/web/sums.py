"""The file SHA256SUMS of a version: a line for each archive, "SHA-256 in hex, two spaces, name"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dirigent.providers.tofu.finding.disk.hashes import ARCHIVE
from dirigent.providers.tofu.finding.naming import PLATFORM, PROGRAM, Source

_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")


def read_sums(content: bytes) -> dict[str, str]:
    """Return the SHA-256 of each file, by its name; lines of another form are passed over."""
    found: dict[str, str] = {}
    for line in content.decode(errors="replace").splitlines():
        parts = line.split(maxsplit=1)
        # Tools that read binary files put a star before the name.
        if len(parts) > 1 and _DIGEST.fullmatch(parts[0]):
            found[parts[1].strip().removeprefix("*")] = parts[0].lower()
    return found


def by_platform(sums: Mapping[str, str], source: Source, version: str) -> dict[str, tuple[str, ...]]:
    """Return the hashes of the archives of a version, by platform."""
    start = f"{PROGRAM}{source.type}_{version}_"
    found = {
        name.removeprefix(start).removesuffix(".zip"): (ARCHIVE + digest,)
        for name, digest in sums.items()
        if name.startswith(start) and name.endswith(".zip")
    }
    return {platform: hashes for platform, hashes in found.items() if PLATFORM.fullmatch(platform)}
