"""How a store is opened: checked, brought to the newest schema, and fenced.

Order: network file system, private file, identity, health after an unclean end, migrations, fence,
directory fsync. Only then is the first append taken.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from dirigent.model.problem import Refusal, refuse
from dirigent.stores import files
from dirigent.stores.forms import corrupt
from dirigent.stores.sqlite.failures import refusal
from dirigent.stores.sqlite.statements import MIGRATIONS, SQL

# "DRGT": any other database is refused, however its tables are called.
APPLICATION: Final = 0x44524754
BUSY_SECONDS: Final = 5.0

# So many pages of the log are brought into the file at a time: more would hold a commit up for longer.
WAL_PAGES: Final = 1000

# FULL: each commit is on the disk before it is acknowledged. `fullfsync` says the same to macOS.
# The cache is small: what is read again is at hand above the store or in the system's own cache, and a larger
# one fills with the pages of runs that only sleep (decision 21).
PRAGMAS: Final = (
    "synchronous = full",
    "fullfsync = on",
    "checkpoint_fullfsync = on",
    f"wal_autocheckpoint = {WAL_PAGES}",
    "journal_size_limit = 67108864",
    "cache_size = -2048",
    "cell_size_check = on",
    "trusted_schema = off",
)


def writing(path: str, *, network: bool) -> tuple[sqlite3.Connection, int]:
    """Return a connection that may write and its epoch, the newest; or raise `Refusal`."""
    mounts = Path(files.MOUNTS)
    if not network and mounts.exists():
        files.refuse_network(path, mounts.read_text(encoding="utf-8", errors="replace"))
    try:
        files.make(path)
    except OSError as error:
        raise files.unusable(path, error) from None
    connection = _connect(f"file:{quote(str(Path(path).resolve()))}?mode=rw", path)
    try:
        _identify(connection, path)
        _configure(connection, path)
        _examine(connection, path)
        epoch = _migrate_and_fence(connection)
        files.sync_directory(Path(path).resolve().parent)
    except sqlite3.Error as error:
        connection.close()
        raise refusal(error, path) from None
    except OSError as error:
        connection.close()
        raise files.unusable(path, error) from None
    except Refusal:
        connection.close()
        raise
    return connection, epoch


def reading(path: str) -> sqlite3.Connection:
    """Return a connection that cannot write, or raise `Refusal`."""
    connection = _connect(f"file:{quote(str(Path(path).resolve()))}?mode=ro", path)
    try:
        version = _identify(connection, path)
        connection.execute("pragma query_only = on")
    except sqlite3.Error as error:
        connection.close()
        raise refusal(error, path) from None
    except Refusal:
        connection.close()
        raise
    if version != len(MIGRATIONS):
        connection.close()
        raise refuse(
            "E5005",
            f"`{path}` has schema version `{version}`, which a reader cannot bring to `{len(MIGRATIONS)}`",
            "start the engine once (`dirigent up` or `dirigent run`): it upgrades the file",
        )
    return connection


def _connect(uri: str, path: str) -> sqlite3.Connection:
    try:
        # Every use is serialised by the store; a batch is written on another thread than a lone append.
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise refusal(error, path) from None


def _single(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def _identify(connection: sqlite3.Connection, path: str) -> int:
    """Return the schema version, 0 for an empty file; refuse what is not ours or is newer (E5005)."""
    application = _single(connection, "pragma application_id")
    version = _single(connection, "pragma user_version")
    tables = _single(connection, "select count(*) from sqlite_schema")
    if application != APPLICATION and (tables or application or version):
        raise refuse(
            "E5005",
            f"`{path}` is a database of another program",
            "name another state directory, or move the file away",
        )
    if version > len(MIGRATIONS):
        raise refuse(
            "E5005",
            f"`{path}` has schema version `{version}`; this release knows versions up to `{len(MIGRATIONS)}`",
            "upgrade Dirigent, or restore the backup that was made before the upgrade",
        )
    return version


def _configure(connection: sqlite3.Connection, path: str) -> None:
    """Set what durability rests on; refuse a disk that cannot do it (E5006)."""
    if not _single(connection, "pragma user_version"):
        # Only a new file can be told: it shrinks by small pieces when something was removed.
        connection.execute("pragma auto_vacuum = incremental")
    mode = connection.execute("pragma journal_mode = wal").fetchone()[0]
    if mode != "wal":
        raise refuse(
            "E5006",
            f"the disk of `{path}` does not share memory between processes (journal mode `{mode}`)",
            "put the state directory on a local disk",
        )
    for pragma in PRAGMAS:
        connection.execute(f"pragma {pragma}")


def _examine(connection: sqlite3.Connection, path: str) -> None:
    """Check every page after an unclean end; refuse a damaged file (E5008)."""
    if not _single(connection, "pragma user_version") or _single(connection, SQL["is_clean"]):
        return
    found = [str(row[0]) for row in connection.execute("pragma quick_check(3)")]
    if found != ["ok"]:
        raise corrupt(f"`{path}` is damaged: {'; '.join(found)}")


def _migrate_and_fence(connection: sqlite3.Connection) -> int:
    """Bring the schema to the newest version and take the next epoch, in one transaction."""
    connection.execute("begin immediate")
    version = _single(connection, "pragma user_version")
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            connection.execute(statement)
    connection.execute(f"pragma application_id = {APPLICATION}")
    connection.execute(f"pragma user_version = {len(MIGRATIONS)}")
    connection.execute(SQL["raise_epoch"])
    epoch = _single(connection, SQL["epoch"])
    connection.execute("commit")
    return epoch
