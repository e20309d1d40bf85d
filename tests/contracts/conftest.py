"""The stores that the contracts are tried with, each as a place that can be opened several times."""

import pytest

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


@pytest.fixture(params=[Memory, Sqlite], ids=["memory", "sqlite"])
def place(request, tmp_path):
    place = request.param(tmp_path)
    yield place
    place.close()


@pytest.fixture
def store(place):
    return place.open()
