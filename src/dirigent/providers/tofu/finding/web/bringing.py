"""The archive of a package, fetched to a file."""

from __future__ import annotations

from pathlib import Path

from dirigent.providers.tofu.finding.disk.cache import unwritable
from dirigent.providers.tofu.finding.origin import Package
from dirigent.providers.tofu.finding.web.asking import OK, Unreachable, Web, unusable


async def brought(web: Web, package: Package, into: Path) -> Path:
    """Fetch an archive and return its file. Raises `Refusal` (E3031, E3036)."""
    try:
        status = await web.fetch(package.place, into)
    except Unreachable as error:
        raise unusable(package.place, str(error)) from None
    except OSError as error:
        raise unwritable(into, error) from None
    if status != OK:
        raise unusable(package.place, f"it answers {status}")
    return into
