"""One connection to the database: opened when it is first used, and again when it was lost.

The only module that knows the driver. Every failure of it leaves here as a `Refusal`, as `Lost` (nobody
knows whether the statement was carried out) or as `Again` (it was not, and may be sent once more).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias, TypeVar, cast

import asyncpg

from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.session import failures
from dirigent.stores.postgres.session.failures import Again, Lost

T = TypeVar("T")
Row: TypeAlias = tuple[object, ...]
Heard: TypeAlias = Callable[[str], None]

CONNECT_SECONDS: Final = 10.0
STATEMENT_SECONDS: Final = 30.0
PAUSES_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
CHANNEL: Final = "dirigent"

# Plans are made once and for any array: what the planner knows of an empty table must not last.
SESSION: Final = {
    "search_path": "dirigent",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "default_transaction_isolation": "read committed",
    "idle_in_transaction_session_timeout": "10000",
}


class Connection(Protocol):
    """As much of the driver's connection as is used here."""

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """Run one statement and return its rows."""
        ...

    async def execute(self, query: str) -> str:
        """Run statements without parameters."""
        ...

    async def add_listener(self, channel: str, callback: Callable[[object, int, str, str], None]) -> None:
        """Call back with what is told on a channel."""
        ...

    async def close(self) -> None:
        """End the session in order."""
        ...

    def terminate(self) -> None:
        """End the session at once."""
        ...

    def is_closed(self) -> bool:
        """Return whether the session is over."""
        ...


class Link:
    """A connection that one statement uses at a time. `patience` is how long a lost one is looked for."""

    def __init__(self, url: DatabaseUrl, patience_seconds: float, title: str = "") -> None:
        """Keep where it leads. Whatever is put into `heard` is called with every hint of other processes."""
        self.url: Final = url
        # The server shows it beside each session (pg_stat_activity), cut after 63 bytes.
        self._session: Final = {**SESSION, "application_name": f"dirigent {title}".strip()[:63]}
        self._patience: Final = patience_seconds
        self.heard: Heard | None = None
        self._connection: Connection | None = None
        self._turn: Final = asyncio.Lock()
        self._closed = False

    async def once(self, statement: str, *args: object, seconds: float = STATEMENT_SECONDS) -> list[Row]:
        """Run a statement and return its rows. Raises `Refusal`, `Lost` or `Again`."""
        async with self._turn:
            return await self._guarded(lambda it: it.fetch(statement, *args), seconds)

    async def fetch(self, statement: str, *args: object) -> list[Row]:
        """Run a statement that may be repeated; return its rows when the database is there again."""
        return await self.lasting(lambda: self.once(statement, *args))

    async def script(self, statements: str) -> None:
        """Run statements without parameters in one transaction. Raises `Refusal`, `Lost` or `Again`."""
        async with self._turn:
            await self._guarded(lambda it: it.execute(statements), STATEMENT_SECONDS)

    async def lasting(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again while the database is away, for as long as our patience lasts; else E5041."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        tried = 0
        while True:
            try:
                return await attempt()
            except (Lost, Again) as failure:
                if loop.time() > until:
                    raise failures.unreachable(self.url, failure) from None
            await asyncio.sleep(PAUSES_SECONDS[min(tried, len(PAUSES_SECONDS) - 1)])
            tried += 1

    async def _guarded(self, use: Callable[[Connection], Awaitable[T]], seconds: float) -> T:
        if self._closed:
            raise failures.closed(self.url)
        try:
            connection = self._connection
            if connection is None or connection.is_closed():
                connection = self._connection = await self._connected()
            async with asyncio.timeout(seconds):
                return await use(connection)
        except failures.CAUGHT as error:
            known = failures.of(error, self.url)
            if isinstance(known, Lost):
                self._drop()
            raise known from None
        except asyncio.CancelledError:
            # The answer may still come in, to whoever asks next.
            self._drop()
            raise

    async def _connected(self) -> Connection:
        made = await asyncpg.connect(
            self.url.text,
            timeout=CONNECT_SECONDS,
            server_settings=self._session,
            target_session_attrs="read-write",
        )
        connection = cast("Connection", made)
        if self.heard is not None:
            heard = self.heard
            await connection.add_listener(CHANNEL, lambda _it, _process, _channel, hint: heard(hint))
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    @property
    def open(self) -> bool:
        """Return whether a session stands, as far as is known."""
        return self._connection is not None and not self._connection.is_closed()

    async def close(self) -> None:
        """End the session; nothing can be asked after this."""
        self._closed = True
        if self._connection is not None and not self._connection.is_closed():
            with suppress(*failures.CAUGHT):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connection.close()
        self._connection = None

    def abandon(self) -> None:
        """End the session as a crash would."""
        self._closed = True
        with suppress(RuntimeError):  # The loop that it belonged to may be over.
            self._drop()
