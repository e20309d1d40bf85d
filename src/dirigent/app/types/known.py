"""What is known of the providers of a stack and of its modules, asked once."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol, cast

from dirigent.lang.stack import Offer, Offers
from dirigent.model.problem import Problem
from dirigent.model.source import Span
from dirigent.model.stack import ProviderSetup

OFFERS: Final = "dirigent.app.types.offers"


class _Tell(Protocol):
    """What `dirigent.app.types.offers` offers."""

    def offers_of(
        self, declared: Mapping[str, ProviderSetup], folder: Path, *, strict: bool
    ) -> Mapping[str, Offer | Problem]:
        """Return what each provider offers, or why that is not known."""
        ...


def offers(folder: Path, *, strict: bool) -> Offers:
    """Return what tells of the providers of a stack and of its modules; it is imported where there are any.

    Each is looked for once, however many modules declare it.
    """
    told: dict[tuple[str, str, str, str], Offer | Problem] = {}

    def known(declared: Mapping[str, ProviderSetup]) -> Mapping[str, Offer | Problem | None]:
        fresh = {name: each for name, each in declared.items() if _key(each) not in told}
        if fresh:
            found = cast("_Tell", importlib.import_module(OFFERS)).offers_of(fresh, folder, strict=strict)
            told.update({_key(declared[name]): each for name, each in found.items()})
        return {name: _at(told.get(_key(each)), each.span) for name, each in declared.items()}

    return known


def _key(setup: ProviderSetup) -> tuple[str, str, str, str]:
    return setup.name, setup.of, setup.source, setup.version


def _at(told: Offer | Problem | None, place: Span | None) -> Offer | Problem | None:
    return replace(told, at=place) if isinstance(told, Problem) else told
