"""Failures of the database as answers: lost, again, or a refusal with what to do."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg

from dirigent.model.problem import Refusal, refuse
from dirigent.settings import DatabaseUrl

CAUGHT: Final[tuple[type[Exception], ...]] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
)

# By SQLSTATE (PostgreSQL, "Appendix A. Error Codes"): a class of two letters, or the whole.
_LOST: Final = ("08", "57P01", "57P02", "57P03", "57P05", "25006", "25P03", "53300")
_AGAIN: Final = ("40001", "40P01", "55P03", "57014")
_FULL: Final = ("53100", "53200")
_DENIED: Final = ("28", "3D000", "42501")
_DATA: Final = ("22",)


class Lost(Exception):
    """The connection broke: nobody knows whether the statement was carried out."""


class Again(Exception):
    """The statement was undone by the database itself and may be sent once more."""


def of(error: Exception, url: DatabaseUrl) -> Lost | Again | Refusal:
    """Return what an error of the driver means."""
    if not isinstance(error, asyncpg.PostgresError):
        return _of_client(error, url)
    state, words = str(error.sqlstate or ""), _words(error)
    if state.startswith(_LOST):
        return Lost(words)
    if state.startswith(_AGAIN):
        return Again(words)
    return _refusal(state, words, url)


def _refusal(state: str, words: str, url: DatabaseUrl) -> Refusal:
    if state.startswith(_FULL):
        return refuse(
            "E5048",
            f"the database `{url}` has no room left: {words}",
            "free some space: runs go on by themselves, and nothing that was recorded is lost",
        )
    if state.startswith(_DENIED):
        return denied(url, words)
    if state.startswith(_DATA):
        return refuse(
            "E5045",
            f"the database cannot store a text of this run: {words}",
            "let the task that made it return text without the character NUL",
        )
    return failed(url, f"{words} ({state})")


def _of_client(error: Exception, url: DatabaseUrl) -> Lost | Refusal:
    if isinstance(error, asyncpg.ClientConfigurationError):
        return refuse("E5049", f"`{url}` does not say where a database is: {_words(error)}", EXAMPLE)
    if isinstance(error, asyncpg.DataError):
        return failed(url, _words(error))
    return Lost(_words(error) or type(error).__name__)


EXAMPLE: Final = "write `postgresql://USER@HOST:5432/DATABASE`; a password may come from PGPASSWORD"


def _words(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def denied(url: DatabaseUrl, words: str) -> Refusal:
    """Return the refusal (E5042) of a database that does not let us in."""
    return refuse(
        "E5042",
        f"the database `{url}` does not let us in: {words}",
        "check user, password (PGPASSWORD, or a password file) and database; make it with `createdb`",
    )


def unreachable(url: DatabaseUrl, why: Exception) -> Refusal:
    """Return the refusal (E5041) of a database that is not there."""
    return refuse(
        "E5041",
        f"the database `{url}` cannot be reached: {why}",
        "check that it runs and can be reached from here; nothing that was recorded is lost",
    )


def failed(url: DatabaseUrl, words: str) -> Refusal:
    """Return the refusal (E5047) for an error that should not be."""
    return refuse(
        "E5047",
        f"the database `{url}` failed: {words}",
        "look into the log of the database; nothing of this is acknowledged",
    )


def closed(url: DatabaseUrl) -> Refusal:
    """Return the refusal for the use of a store after its end."""
    return refuse("E5017", f"the store `{url}` is closed", "open it again")


def taken_over(shard: int) -> Refusal:
    """Return the refusal (E5002) of a writer whose token is no longer the newest."""
    return refuse(
        "E5002",
        f"another engine has taken shard `{shard}` over: this one writes nothing more there",
        "nothing needs to be done: the other one goes on from the same journal",
    )


def lapsed(shard: int) -> Refusal:
    """Return the refusal (E5002) of a writer that could not renew its lease in time."""
    return refuse(
        "E5002",
        f"the lease of shard `{shard}` could not be renewed in time, so nothing more is begun there",
        "nothing needs to be done: whoever leases the shard next goes on from the same journal",
    )
