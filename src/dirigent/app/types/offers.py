"""What the providers of a stack offer: from the schemas that are kept of their programs, else by asking them.

Rule: who only looks at a stack is told of a provider that cannot be asked, and goes on; who plans is refused.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from dirigent.app.planning import inherited
from dirigent.app.protocols.extras import require
from dirigent.lang.stack import Offer, TypeShape
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.installed import Installed, installed
from dirigent.providers.tofu.finding.places import Places, places_of
from dirigent.providers.tofu.schema.kept import Kept, Shelf
from dirigent.providers.tofu.schema.shape import Schema
from dirigent.providers.tofu.schema.shapes import setup_shape, type_shape

Learn: TypeAlias = Callable[[str, Mapping[str, str]], Awaitable[Kept]]

LEARNING: Final = "dirigent.providers.tofu.learning"


def offers_of(
    declared: Mapping[str, ProviderSetup], folder: Path, *, strict: bool
) -> Mapping[str, Offer | Problem]:
    """Return what each provider offers, or why that is not known: an error if `strict`, else W1428.

    Blocks for as long as programs take to be found and hashed, and to answer where nothing is kept of them.
    """
    if not declared:
        return {}
    try:
        places = places_of(folder, os.environ)
    except Refusal as refusal:
        return {name: _unknown(each, refusal, strict=strict) for name, each in declared.items()}
    shelf = shelf_of(places)
    found: dict[str, Installed] = {}
    answers: dict[str, Offer | Problem] = {}
    for name, setup in declared.items():
        try:
            found[name] = installed(setup, places)
        except Refusal as refusal:
            answers[name] = _unknown(setup, refusal, strict=strict)
    kept = _kept(found, shelf)
    for name in found:
        known = kept[name]
        answers[name] = (
            _unknown(declared[name], known, strict=strict)
            if isinstance(known, Refusal)
            else _offer(name, known)
        )
    return answers


def _offer(name: str, known: Kept) -> Offer:
    looks = {
        "read": TypesOf(known.sources, "read"),
        "open": TypesOf(known.ephemerals, "open"),
        "call": TypesOf(known.functions, "call", f"{name}::"),
    }
    return Offer(TypesOf(known.resources), setup_shape(name, known.provider.block), looks)


def shelf_of(places: Places) -> Shelf:
    """Return where schemas are kept: beside what was fetched."""
    return Shelf(places.cache.parent / "schemas")


class TypesOf(Mapping[str, TypeShape]):
    """The types of a provider; the shape of one is made when it is looked up."""

    def __init__(self, schemas: Mapping[str, Schema], kind: str = "", prefix: str = "") -> None:
        """Keep the schemas; `prefix` stands before the names where people write them."""
        self._schemas = schemas
        self._kind = kind
        self._prefix = prefix

    def __getitem__(self, name: str) -> TypeShape:
        """Return the shape of a type."""
        return type_shape(f"{self._prefix}{name}", self._schemas[name].block, self._kind)

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._schemas)

    def __len__(self) -> int:
        """Return how many types there are."""
        return len(self._schemas)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A program, by the digest of its content."""

    name: str
    program: str
    digest: str


def _kept(found: Mapping[str, Installed], shelf: Shelf) -> dict[str, Kept | Refusal]:
    """Return the schemas of programs; those of which nothing is kept are asked, all at once."""
    by_digest: dict[str, Kept | Refusal] = {}
    asked: dict[str, _Asked] = {}
    for name, each in found.items():
        kept = by_digest.get(each.digest) or shelf.find(each.digest)
        if kept is None:
            asked.setdefault(each.digest, _Asked(name, str(each.program), each.digest))
        else:
            by_digest[each.digest] = kept
    if asked:
        by_digest |= asyncio.run(_learned(list(asked.values()), shelf))
    return {name: by_digest[each.digest] for name, each in found.items()}


async def _learned(asked: list[_Asked], shelf: Shelf) -> dict[str, Kept | Refusal]:
    try:
        require("a provider", "tofu", "grpc", "google.protobuf")
    except Refusal as refusal:
        return {each.digest: refusal for each in asked}
    module = importlib.import_module(LEARNING)
    learn: Learn = module.learned
    unlearned: type[Exception] = module.Unlearned

    async def one(each: _Asked) -> Kept | Refusal:
        try:
            kept = await learn(each.program, inherited())
        except unlearned as error:
            message = f"the provider `{each.name}` did not say what types it has: {error}"
            return Refusal([Problem("E3040", message, help=(f"its program is `{each.program}`",))])
        shelf.keep(each.digest, kept)
        return kept

    answers = await asyncio.gather(*map(one, asked))
    return {each.digest: answer for each, answer in zip(asked, answers, strict=True)}


def _unknown(setup: ProviderSetup, refusal: Refusal, *, strict: bool) -> Problem:
    first = refusal.problems[0]
    if strict:
        return Problem(first.code, first.message, setup.span, "not known", help=first.help)
    return Problem(
        "W1428",
        f"the types of `{setup.name}` are not known here, and not checked: {first.message}",
        setup.span,
        first.code,
        help=first.help,
    )
