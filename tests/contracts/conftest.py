"""The stores that the contracts are tried with, each as a place that can be opened several times."""

import pytest

from databases.seizing import Seizing
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import MemoryDisk, MemoryStore


class Memory:
    """Openings of one disk in memory."""

    def __init__(self, tmp_path):
        self.disk = MemoryDisk()

    def open(self):
        return MemoryStore(self.disk)

    def close(self):
        """Nothing is held."""


class Sqlite:
    """Openings of one file."""

    def __init__(self, tmp_path):
        self.path = str(tmp_path / "state" / "dirigent.db")
        self.opened = []

    def open(self):
        self.opened.append(SqliteStore.open_for_writing(self.path))
        return self.opened[-1]

    def close(self):
        for store in self.opened:
            store.abandon()


class Postgres:
    """Openings of one database, each of which takes the shard from the one before."""

    def __init__(self, server):
        self.url = server.fresh()
        self.opened = []

    def open(self):
        self.opened.append(Seizing(self.url, f"opening-{len(self.opened)}"))
        return self.opened[-1]

    async def leave(self):
        for store in self.opened:
            await store.leave()

    def close(self):
        """A session ended with the loop of its test."""


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def place(request, tmp_path):
    match request.param:
        case "memory":
            place = Memory(tmp_path)
        case "sqlite":
            place = Sqlite(tmp_path)
        case _:
            place = Postgres(request.getfixturevalue("server"))
    yield place
    place.close()


@pytest.fixture
def store(place):
    return place.open()
