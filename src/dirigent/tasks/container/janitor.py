"""Containers whose lifetime has an end (`cleanup: eventually`) are removed when it comes.

How long a container stays is on its label, so what an engine before this one left is found and removed too.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dirigent.tasks.container.recipe import ATTEMPT, EFFECT, LIFETIME, OUTCOME, SPOOL
from dirigent.tasks.container.runtime import Refused, Runtime, Seen, Unreachable

FRACTION: Final = 6


class Janitor:
    """Removes containers after their time."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._looked = False
        self._waiting: dict[str, asyncio.Task[None]] = {}

    async def look(self, runtime: Runtime, spool: str) -> None:
        """Look once for ended containers that were to be removed, and see to it that they are.

        Only those whose notes are in `spool`, and whose outcome nobody waits for any more.
        """
        if self._looked:
            return
        self._looked = True
        with suppress(Refused):
            for container in await runtime.ended(LIFETIME):
                seen = await runtime.inspect(container)
                if seen is None or seen.labels.get(SPOOL) != spool or not settled(seen, spool):
                    continue
                left = seconds_left(seen, datetime.now(UTC))
                if left is not None:
                    self.remove_after(runtime, container, left)

    def remove_after(self, runtime: Runtime, container: str, seconds: float) -> None:
        """Remove a container when it has ended and so many seconds have passed."""
        if container not in self._waiting:
            task = asyncio.create_task(self._removed(runtime, container, seconds))
            self._waiting[container] = task
            task.add_done_callback(lambda _: self._waiting.pop(container, None))

    async def _removed(self, runtime: Runtime, container: str, seconds: float) -> None:
        with suppress(Refused, Unreachable):
            await runtime.wait(container)
            await asyncio.sleep(seconds)
            await runtime.remove(container)


def settled(seen: Seen, spool: str) -> bool:
    """Return whether the outcome of a container is kept, or was and is in the journal by now."""
    notes = Path(spool, f"{seen.labels.get(EFFECT)}-{seen.labels.get(ATTEMPT)}")
    return (notes / OUTCOME).exists() or not notes.exists()


def seconds_left(seen: Seen, now: datetime) -> float | None:
    """Return how long an ended container stays yet; None when its label or its end cannot be read."""
    whole, _, rest = seen.finished.partition(".")
    digits = "".join(character for character in rest if character.isdigit())[:FRACTION]
    try:
        ended = datetime.fromisoformat(f"{whole.rstrip('Z')}+00:00").timestamp()
        life = float(seen.labels.get(LIFETIME, ""))
    except ValueError:
        return None
    return max(0.0, ended + float(f"0.{digits or 0}") + life - now.timestamp())
