"""What a lock says of a provider, whichever file it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from dirigent.model.record import dataclass

# Under this name stand hashes of which nobody has said what platform they belong to.
ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class Locked:
    """A provider at one version. `hashes` are `h1:` and `zh:` by platform; `constraints` is what was asked.

    `file` is the lock that says so.
    """

    source: str
    version: str
    constraints: str = ""
    hashes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = ""

    @property
    def all(self) -> frozenset[str]:
        """Return the hashes of all platforms."""
        return frozenset(each for some in self.hashes.values() for each in some)


def joined(
    first: Mapping[str, tuple[str, ...]], more: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return hashes with further ones, each once, all in order; what is known of a platform is not `any`."""
    found = {name: {*first.get(name, ()), *more.get(name, ())} for name in {*first, *more}}
    placed = {each for name, some in found.items() if name != ANY for each in some}
    found[ANY] = found.get(ANY, set()) - placed
    return {name: tuple(sorted(found[name])) for name in sorted(found) if found[name]}
