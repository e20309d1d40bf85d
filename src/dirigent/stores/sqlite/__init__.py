"""The embedded default: everything in one SQLite file that survives any crash.

Law 1: what was acknowledged is on the disk. Law 2: one transaction holds facts and the rows that
they change. Law 3: a writer that is no longer the newest writes nothing.
"""

from dirigent.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
