"""Events between the engine and the world: the endpoint where they come in. Imported when it is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dirigent.ports import Conductor
from dirigent.service.events.reception import events_of
from dirigent.tasks.events.endpoint import Endpoint, opened


@asynccontextmanager
async def receiving(conductor: Conductor, host: str, port: int, token: str) -> AsyncIterator[str]:
    """Take events in over HTTP while the block runs; yields the URL. Raises `Refusal` (E4106)."""
    async with opened(Endpoint(events_of, conductor.take_events, token), host, port) as url:
        yield url
