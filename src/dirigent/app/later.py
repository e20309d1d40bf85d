"""A performer that is imported and built when its first order comes: few runs need all of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TypeAlias

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.model.run.effect import Order, Outcome
from dirigent.ports import Performer

Build: TypeAlias = Callable[[Surrounding, Parts], Performer]

WEB = "dirigent.app.web"


class LaterPerformer:
    """Stands for the performer that the function `name` of `app.web` builds."""

    def __init__(self, name: str, around: Surrounding, parts: Parts) -> None:
        """Keep what it will be built from."""
        self._name = name
        self._around = around
        self._parts = parts
        self._built: Performer | None = None

    async def perform(self, order: Order) -> Outcome:
        """Do it."""
        return await self._performer().perform(order)

    async def abandon(self, order: Order) -> None:
        """Stop it."""
        await self._performer().abandon(order)

    def _performer(self) -> Performer:
        if self._built is None:
            build: Build = getattr(importlib.import_module(WEB), self._name)
            self._built = build(self._around, self._parts)
        return self._built
