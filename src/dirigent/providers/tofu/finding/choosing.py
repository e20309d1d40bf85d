"""Which version of a provider, and from where.

Rule 1: what is locked is kept as long as it fits and nobody asks for more.
Rule 2: else the newest that fits, at the first place that has one: folders come before networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from dirigent.lang.stack.outside.versions import (
    Constraints,
    NoVersion,
    Version,
    read_constraints,
    read_version,
    readable,
)
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.lock.shape import Locked
from dirigent.providers.tofu.finding.naming import Source, is_local, source_of
from dirigent.providers.tofu.finding.origin import Origin

Origins: TypeAlias = Callable[[Source], Sequence[Origin]]
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """A provider that a stack wants. `constraints` are those of all entries that name it."""

    source: Source
    constraints: str
    at: Span | None = None

    @property
    def demand(self) -> Constraints:
        """Return what releases will do. Raises `Refusal` (E3020)."""
        try:
            return read_constraints(self.constraints)
        except NoVersion as error:
            raise refuse("E3020", f"the provider `{self.source}`: {error}", at=self.at) from None

    def keeps(self, locked: Locked | None) -> bool:
        """Return whether what is locked will do."""
        try:
            return locked is not None and self.demand.allows(read_version(locked.version))
        except NoVersion:
            return False


@dataclass(frozen=True, slots=True)
class Choice:
    """A version, and where it is had from."""

    version: str
    origin: Origin


def wishes(setups: Iterable[ProviderSetup]) -> list[Wish]:
    """Return what the entries of a stack want, by source; programs of one's own are not looked for."""
    found: dict[str, Wish] = {}
    for each in setups:
        if each.of or is_local(each.source):
            continue
        before = found.get(each.source)
        demands = [before.constraints if before else "", each.version]
        joined = ", ".join(dict.fromkeys(filter(None, demands)))
        at = before.at if before else each.span
        found[each.source] = Wish(source_of(each.source), joined, at)
    return [found[source] for source in sorted(found)]


async def chosen(wish: Wish, origins: Sequence[Origin], platforms: Sequence[str]) -> Choice:
    """Return the newest version that will do, at the first origin that has one.

    Raises:
        Refusal: E3028 nobody knows the provider, E3029 no version will do, E3030 not made for a platform.
    """
    seen: dict[str, Version] = {}
    known = False
    for origin in origins:
        offered = await origin.versions(wish.source)
        if offered is None:
            continue
        known = True
        versions = readable(list(offered))
        best = wish.demand.newest(versions.values())
        if best is not None:
            text = next(text for text, each in versions.items() if each == best)
            _check_platforms(wish, text, offered, platforms)
            return Choice(best.text, origin)
        seen |= versions
    if not known:
        raise _unknown(wish, origins)
    raise unmatched(wish, seen.values())


async def kept(wish: Wish, locked: Locked, origins: Sequence[Origin], platforms: Sequence[str]) -> Choice:
    """Return where the version that is locked can be had for all platforms. Raises `Refusal` (E3030)."""
    for origin in origins:
        found = [await origin.package(wish.source, locked.version, each) for each in platforms]
        if all(found):
            return Choice(locked.version, origin)
    raise refuse(
        "E3030",
        f"`{wish.source}` {locked.version}, which is locked, is nowhere to be had for {', '.join(platforms)}",
        f"asked: {', '.join(f'`{each.name}`' for each in origins)}",
        "`dirigent providers lock --upgrade` looks for a version that is",
        at=wish.at,
    )


def unmatched(wish: Wish, versions: Iterable[Version]) -> Refusal:
    """Return the refusal of a demand that no version meets (E3029)."""
    near = ", ".join(str(each) for each in wish.demand.nearest(versions, SHOWN))
    shown = wish.constraints or "any release"
    return refuse(
        "E3029",
        f"no version of `{wish.source}` will do: the stack wants `{shown}`",
        f"the nearest are {near}" if near else "it has no version whose protocol is 5 or 6",
        "a pre-release is taken only where `version` names exactly it",
        at=wish.at,
    )


def unmade(wish: Wish, version: str, platform: str, others: Iterable[str] = ()) -> Refusal:
    """Return the refusal of a version that is not made for a platform (E3030)."""
    made = ", ".join(sorted(others))
    return refuse(
        "E3030",
        f"`{wish.source}` {version} is not made for {platform}",
        f"it is made for {made}" if made else "ask for another version, or leave the platform out",
        at=wish.at,
    )


def _check_platforms(
    wish: Wish, version: str, offered: Mapping[str, frozenset[str]], platforms: Sequence[str]
) -> None:
    made = offered[version]
    for platform in platforms:
        if made and platform not in made:
            raise unmade(wish, version, platform, made)


def _unknown(wish: Wish, origins: Sequence[Origin]) -> Refusal:
    asked = ", ".join(f"`{each.name}`" for each in origins)
    return refuse(
        "E3028",
        f"there is no provider `{wish.source}`",
        f"asked: {asked}",
        "`source` is `NAMESPACE/TYPE`, or `HOST/NAMESPACE/TYPE` for another registry: look for a slip",
        at=wish.at,
    )
