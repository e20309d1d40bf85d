"""A store on PostgreSQL that opens itself when it is first used, and takes a shard from whoever has it."""

from __future__ import annotations

import asyncio

from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database, PostgresStore

SHARD = 0


class Seizing:
    """Stands for `PostgresStore` in tests that open a store outside an event loop."""

    def __init__(self, url: str, owner: str) -> None:
        self.url, self.owner = DatabaseUrl(url), owner
        self.database = None
        self._store = None
        self._opening = asyncio.Lock()

    async def opened(self):
        """Return the store."""
        async with self._opening:
            if self._store is None:
                self.database = await Database.opened(self.url, self.owner)
                (fence,) = await self.database.leases.seize([SHARD])
                self._store = PostgresStore(self.database, fence)
        return self._store

    async def leave(self):
        """End the sessions as a crash would."""
        if self.database is not None:
            await self.database.abandon()
            for _ in range(3):
                await asyncio.sleep(0)  # for the sockets to notice

    @property
    def applies(self):
        """What is known of applies, opened as late."""
        return _Applies(self)

    def __getattr__(self, name):
        async def use(*args, **kwargs):
            return await getattr(await self.opened(), name)(*args, **kwargs)

        return use


class _Applies:
    """Stands for `PostgresApplies`."""

    def __init__(self, seizing):
        self._seizing = seizing

    def __getattr__(self, name):
        async def use(*args):
            return await getattr((await self._seizing.opened()).applies, name)(*args)

        return use
