"""Versions and what a stack demands of them: semver 2, and the constraints that OpenTofu knows.

Rule: a pre-release is chosen only where a constraint names exactly it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Identifier: TypeAlias = tuple[int, int, str]

_CORE: Final = r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
_TAIL: Final = r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION: Final = re.compile(_CORE + _TAIL)
_NUMBER: Final = r"(?:0|[1-9][0-9]*)"
_TERM: Final = re.compile(
    rf"(=|!=|>=|>|<=|<|~>)?\s*v?({_NUMBER}(?:\.{_NUMBER}){{0,2}})((?:[-+][0-9A-Za-z.+-]+)?)"
)
_PARTS: Final = 3
LONGEST: Final = 64
REMEDY: Final = "write constraints as `~> 2.5` or `>= 1.2, < 2, != 1.5.0`"


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """A version by semver 2. Ordered by it; what stands after `+` makes no difference."""

    numbers: tuple[int, int, int]
    # A release comes after all its pre-releases.
    release: bool
    rank: tuple[Identifier, ...]
    text: str = field(compare=False)

    def __str__(self) -> str:
        """Return it as it was written."""
        return self.text


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. `parts` is how many numbers were written, which `~>` depends on."""

    operator: str
    version: Version
    parts: int


@dataclass(frozen=True, slots=True)
class Constraints:
    """What releases will do: all of the terms, any release where there are none."""

    terms: tuple[Term, ...] = ()

    def allows(self, version: Version) -> bool:
        """Return whether a version will do."""
        if not version.release:
            named = [term for term in self.terms if term.operator == "=" and term.version == version]
            return bool(named) and all(_holds(term, version) for term in self.terms)
        return all(_holds(term, version) for term in self.terms)

    def newest(self, versions: Iterable[Version]) -> Version | None:
        """Return the newest that will do, None when none does."""
        return max((each for each in versions if self.allows(each)), default=None)

    def nearest(self, versions: Iterable[Version], most: int) -> list[Version]:
        """Return, newest first, versions around the first one that is named: what could be meant."""
        ordered = sorted(set(versions), reverse=True)
        if not self.terms:
            return ordered[:most]
        named = self.terms[0].version
        before = sum(each > named for each in ordered)
        start = max(0, min(before - most // 2, len(ordered) - most))
        return ordered[start : start + most]


class NoVersion(Exception):
    """A text is no version, or no constraint; the message shows the offending part."""


def read_version(text: str) -> Version:
    """Return a version. Raises `NoVersion`."""
    found = _VERSION.fullmatch(text.removeprefix("v")) if len(text) <= LONGEST else None
    if found is None:
        raise NoVersion(f"`{text[:LONGEST]}` is no version, as `2.5.1`")
    numbers = (int(found[1]), int(found[2]), int(found[3]))
    return Version(numbers, found[4] is None, _rank(found[4] or ""), text.removeprefix("v"))


def read_constraints(text: str) -> Constraints:
    """Return what a text such as `>= 1.2, < 2` demands; an empty one demands nothing. Raises `NoVersion`."""
    if not text.strip():
        return Constraints()
    return Constraints(tuple(_term(part.strip()) for part in text.split(",")))


def _term(text: str) -> Term:
    found = _TERM.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise NoVersion(f"`{text[:LONGEST]}` is no constraint on versions")
    parts = found[2].count(".") + 1
    if found[3] and parts < _PARTS:
        raise NoVersion(f"`{text}` names a pre-release of a version that is not whole")
    return Term(found[1] or "=", read_version(found[2] + ".0" * (_PARTS - parts) + found[3]), parts)


def _rank(text: str) -> tuple[Identifier, ...]:
    """Return pre-release identifiers so that tuples compare as semver 2 says: numbers before words."""
    return tuple((0, int(each), "") if each.isdecimal() else (1, 0, each) for each in text.split(".") if each)


def _compatible(term: Term, version: Version) -> bool:
    """Return whether a version is at least that of `~>`, and differs only in its last written number.

    One number alone is read as a major version, as OpenTofu does.
    """
    fixed = max(1, term.parts - 1)
    return version >= term.version and version.numbers[:fixed] == term.version.numbers[:fixed]


_OPERATORS: Final[dict[str, Callable[[Term, Version], bool]]] = {
    "=": lambda term, version: version == term.version,
    "!=": lambda term, version: version != term.version,
    ">": lambda term, version: version > term.version,
    ">=": lambda term, version: version >= term.version,
    "<": lambda term, version: version < term.version,
    "<=": lambda term, version: version <= term.version,
    "~>": _compatible,
}


def _holds(term: Term, version: Version) -> bool:
    return _OPERATORS[term.operator](term, version)


def readable(texts: Sequence[str]) -> dict[str, Version]:
    """Return the versions among texts, by their text; what is none is left out, as peers do."""
    found: dict[str, Version] = {}
    for text in texts:
        try:
            found[text] = read_version(text)
        except NoVersion:
            continue
    return found
