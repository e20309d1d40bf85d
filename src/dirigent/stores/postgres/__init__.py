"""The cluster: everything in one PostgreSQL database, and any number of engines on it.

Law 1: what was acknowledged is committed. Law 2: one statement holds facts and the rows that they
change. Law 3: it checks the token of every shard that it touches, so a past owner writes nothing.
"""

from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.store import PostgresStore

__all__ = ["Database", "PostgresStore"]
