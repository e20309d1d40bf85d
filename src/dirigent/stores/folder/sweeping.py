"""Files of large values that nothing names any more are removed.

Law: what is written anew or put again after the look at the store is young, and stays; what is old and named
by nothing then cannot be named later, for every name comes from a fact or from a value that is put.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from dirigent.stores.folder.payloads import YOUNG_SECONDS, Payloads


class Holdings(Protocol):
    """A store that can say which large values it may need."""

    async def named(self) -> frozenset[str]:
        """Return every digest that something stored may name; rather too many than too few."""
        ...


async def sweep(payloads: Payloads, holdings: Holdings, young_seconds: float = YOUNG_SECONDS) -> int:
    """Delete old files that nothing names, and return how many bytes that was. May run beside an engine.

    Raises `Refusal` when the store cannot be read or the folder not changed (E5010, E5012).
    """
    now = time.time()
    if not await asyncio.to_thread(payloads.lasting, young_seconds, now):
        return 0
    named = await holdings.named()
    return await asyncio.to_thread(payloads.sweep, named, young_seconds, now)
