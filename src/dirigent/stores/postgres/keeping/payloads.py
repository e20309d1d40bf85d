"""Large values in a database: named by their SHA-256, in chunks, within reach of every engine.

Law 1: content is committed before `put` returns. Law 2: what is read is checked against its name.
Law 3: nothing is put while an engine lives whose release would take the name for the value.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Coroutine
from typing import Final, TypeVar, cast

from dirigent.model import limits
from dirigent.model.ids import Digest
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run import payload
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.session.failures import Again
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL

T = TypeVar("T")

# The first release, in migrations, whose engines know large values in a database.
KNOWN_SINCE: Final = 4
# Longer than any lease: whoever could not reach the database for so long owns no shard any more.
PATIENCE_SECONDS: Final = 10.0
YOUNG_SECONDS: Final = 3_600.0
# So many runs are looked through with one statement, and so long that may take.
RUNS_TOGETHER: Final = 500
LOOK_SECONDS: Final = 600.0
_DIGEST: Final = re.compile(rb"[0-9a-f]{64}")
_BESIDE: Final = ("resources", "history", "plans", "events", "inbox")


class PostgresPayloads:
    """Fits `ports.Payloads`. Its calls block, and may come from any thread: it has a loop of its own."""

    def __init__(self, url: DatabaseUrl) -> None:
        """Keep where the database is; nothing is opened before the first large value."""
        self._url: Final = url
        self._link: Final = Link(url, PATIENCE_SECONDS, "payloads")
        self._starting: Final = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: Final = asyncio.Lock()

    @property
    def any(self) -> bool:
        """Return True: whether there is any is not worth asking."""
        return True

    def put(self, content: bytes) -> Digest | None:
        """Keep content under its digest, once however often it is put; durable on return.

        None while an engine of a release lives that would not know what the name stands for. Raises `Refusal`
        (E5041 and what else a database may say).
        """
        digest = Digest(hashlib.sha256(content).hexdigest())
        return digest if self._wait(self._put(digest, content)) else None

    def get(self, digest: str, whose: str = "") -> bytes:
        """Return content. Raises `Refusal`: E5070 when it is missing, E5071 when it is damaged."""
        content = self._wait(self._get(digest))
        if content is None:
            raise refuse(
                "E5070",
                f"the large value `{digest}`{whose} is not in the database",
                "restore the table `payloads` from the backup that the journal comes from",
            )
        if hashlib.sha256(content).hexdigest() != digest:
            raise refuse(
                "E5071",
                f"the large value `{digest}`{whose} is damaged: its bytes are not those that were stored",
                "restore it from a backup of the database; look at the disk of the server",
            )
        return content

    def stored(self) -> list[Digest]:
        """Return the digests of all there are."""
        rows = self._wait(self._link.fetch(SQL["stored_payloads"]))
        return [Digest(cast("str", row[0])) for row in rows]

    def close(self) -> None:
        """End the session."""
        if self._loop is not None:
            self._wait(self._link.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    def _wait(self, work: Coroutine[None, None, T]) -> T:
        """Return what comes of work on the loop of this object, whichever thread asks."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_served, args=(self._loop,), daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _put(self, digest: Digest, content: bytes) -> bool:
        async with self._turn:
            return await self._link.lasting(lambda: self._written(digest, content))

    async def _written(self, digest: Digest, content: bytes) -> bool:
        """Store content in one transaction, unless it is there; return whether large values may be at all."""
        link = self._link
        ((known, strangers),) = await link.once(SQL["touch_payload"], digest, KNOWN_SINCE)
        if strangers or known:
            return not strangers
        await link.script("begin")
        try:
            ((fresh,),) = await link.once(SQL["put_payload"], digest, len(content))
            step = limits.LARGE_CHUNK_BYTES
            for number in range(-(-len(content) // step) if fresh else 0):
                part = content[number * step : (number + 1) * step]
                await link.once(SQL["put_chunk"], digest, number, part)
        except (Refusal, Again):
            await link.script("rollback")
            raise
        await link.script("commit")
        return True

    async def _get(self, digest: str) -> bytes | None:
        async with self._turn:
            parts: list[bytes] = []
            left = 1
            while left > 0:
                rows = await self._link.fetch(SQL["chunk"], digest, len(parts))
                if not rows:
                    return None
                size, content = cast("tuple[int, bytes | None]", tuple(rows[0]))
                if content is None:
                    break
                parts.append(content)
                left = size - sum(map(len, parts))
            return b"".join(parts)


def _served(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


async def sweep(url: DatabaseUrl, young_seconds: float = YOUNG_SECONDS) -> int:
    """Delete old large values that nothing names, and return how many bytes that was. May run beside engines.

    What is put again after the look is young, and stays; what is old and named by nothing then cannot be
    named later, for every name comes from a fact or from a value that is put. Raises `Refusal`.
    """
    link = Link(url, PATIENCE_SECONDS, "sweep")
    try:
        ((now, lasting),) = await link.fetch(SQL["old_payloads"], young_seconds)
        if not lasting:
            return 0
        named = sorted(await _named(link))
        rows = await link.fetch(SQL["forget_payloads"], cast("float", now) - young_seconds, named)
        return sum(cast("int", row[0]) for row in rows)
    finally:
        await link.close()


async def _named(link: Link) -> set[str]:
    """Return every digest that something stored may name as a large value; rather too many than too few."""
    name, found = payload.NAME.encode(), set[str]()
    ((last,),) = await link.fetch(SQL["last_journal"])
    for first in range(0, cast("int", last) + 1, RUNS_TOGETHER):
        found |= await _digests(link, "naming_facts", name, first, first + RUNS_TOGETHER)
    for table in _BESIDE:
        found |= await _digests(link, f"naming_{table}", name)
    return found


async def _digests(link: Link, statement: str, *parameters: object) -> set[str]:
    rows = await link.lasting(lambda: link.once(SQL[statement], *parameters, seconds=LOOK_SECONDS))
    return {digest.decode() for row in rows for digest in _DIGEST.findall(cast("bytes", row[0]))}
