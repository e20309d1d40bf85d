"""The locks beside a stack, read from disk."""

from __future__ import annotations

from pathlib import Path

from dirigent.model.problem import refuse
from dirigent.providers.tofu.finding.lock import document, hcl
from dirigent.providers.tofu.finding.lock.shape import Locked


def locks_of(folder: Path) -> dict[str, Locked]:
    """Return what is locked, by source: our own lock, and the other where ours says nothing.

    Raises:
        Refusal: E3022, or E1xxx with the places of all mistakes.
    """
    return theirs(folder) | ours(folder)


def ours(folder: Path) -> dict[str, Locked]:
    """Return what `dirigent.lock` says. Raises `Refusal`."""
    content = _read(folder / document.NAME)
    return {} if content is None else document.read_lock(content, str(folder / document.NAME))


def theirs(folder: Path) -> dict[str, Locked]:
    """Return what `.terraform.lock.hcl` says. Raises `Refusal`."""
    content = _read(folder / hcl.NAME)
    file = str(folder / hcl.NAME)
    return {} if content is None else hcl.read_hcl(content.decode(errors="replace"), file)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refuse(
            "E3022",
            f"`{path}` cannot be read: {(error.strerror or '').lower()}",
            "make it a file you may read",
        ) from None
