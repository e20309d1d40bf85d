"""Hints between processes: that there is something to look for. None is needed, all may be lost.

Never given in a writing statement (a notification takes a lock of the whole database at its commit), and
at most so many a second, whatever happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final

from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.stores.postgres.session.failures import Again, Lost
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL

# Twenty a second; the bar is a hundred.
GAP_SECONDS: Final = 0.05
# A notification holds 8,000 bytes; what does not fit is looked for all the same.
WORDS: Final = 200


@dataclass(slots=True, eq=False)
class Ear:
    """Who listens for some words; what is heard between two waits is not missed."""

    about: frozenset[str]
    _words: set[str] = field(default_factory=set)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, words: Sequence[str]) -> None:
        """Note the words that this one listens for."""
        if not self.about.isdisjoint(words):
            self._words.update(self.about.intersection(words))
            self._heard.set()

    async def wait(self, seconds: float) -> frozenset[str]:
        """Return what was heard since the last time, as soon as there is something, or after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()
        words, self._words = frozenset(self._words), set()
        return words


@dataclass(slots=True, eq=False)
class Hints:
    """What this process tells and hears."""

    link: Link
    _words: dict[str, None] = field(default_factory=dict)
    _telling: asyncio.Task[None] | None = None
    _ears: list[Ear] = field(default_factory=list)

    def say(self, word: str) -> None:
        """Tell others soon."""
        self._words[word] = None
        if self._telling is None:
            self._telling = asyncio.ensure_future(self._tell())

    def hear(self, told: str) -> None:
        """Pass on what another process tells."""
        words = told.split()
        for ear in self._ears:
            ear.hear(words)

    def ear(self, *about: str) -> Ear:
        """Return one that listens for these words until it is let go."""
        ear = Ear(frozenset(about))
        self._ears.append(ear)
        return ear

    def let_go(self, ear: Ear) -> None:
        """Tell one nothing more."""
        self._ears.remove(ear)

    async def listen(self) -> None:
        """Have a session to hear with; what cannot be is left."""
        if not self.link.open:
            with suppress(Lost, Again, Refusal):
                await self.link.once("select 1")

    async def flush(self) -> None:
        """Return when everything was told."""
        if self._telling is not None:
            await self._telling

    async def _tell(self) -> None:
        try:
            while self._words:
                words, self._words = list(self._words)[:WORDS], {}
                with suppress(Lost, Again, Refusal):
                    await self.link.once(SQL["notify"], " ".join(words))
                await asyncio.sleep(GAP_SECONDS)
        finally:
            self._telling = None
