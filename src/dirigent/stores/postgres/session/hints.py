"""Hints between processes: that there is something to look for. None is needed, all may be lost.

Never given in a writing statement (a notification takes a lock of the whole database at its commit), and
at most so many a second, whatever happens.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from dirigent.model.problem import Refusal
from dirigent.stores.postgres.session.failures import Again, Lost
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL

# Twenty a second; the bar is a hundred.
GAP_SECONDS: Final = 0.05
# A notification holds 8,000 bytes; what does not fit is looked for all the same.
WORDS: Final = 200


@dataclass(slots=True, eq=False)
class Hints:
    """What this process tells and hears."""

    link: Link
    _words: dict[str, None] = field(default_factory=dict)
    _telling: asyncio.Task[None] | None = None
    _heard: set[asyncio.Event] = field(default_factory=set)

    def say(self, word: str) -> None:
        """Tell others soon."""
        self._words[word] = None
        if self._telling is None:
            self._telling = asyncio.ensure_future(self._tell())

    def hear(self, _: str) -> None:
        """Wake everybody who waits."""
        for event in self._heard:
            event.set()

    async def wait(self, seconds: float) -> None:
        """Return when a hint came, or so long has passed."""
        event = asyncio.Event()
        self._heard.add(event)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
        finally:
            self._heard.discard(event)

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
