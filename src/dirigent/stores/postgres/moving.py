"""A store in a database, read or filled whole, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, cast
from zlib import crc32

from dirigent.model.problem import refuse
from dirigent.settings import DatabaseUrl
from dirigent.stores.moving import PAGE, MovedRun, Record
from dirigent.stores.postgres import records
from dirigent.stores.postgres.session import migrating
from dirigent.stores.postgres.session.failures import Again, Lost, unreachable
from dirigent.stores.postgres.session.link import Link, Row
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.projection import Standing

_BEGIN: Final = "begin isolation level repeatable read; set local idle_in_transaction_session_timeout = 0"
# So many facts make one row.
TOGETHER: Final = 64


class PostgresSource:
    """A database that no engine works on. `open` comes first."""

    def __init__(self, url: DatabaseUrl) -> None:
        """Keep where it is."""
        self._link = Link(url, 0.0, "copy")

    async def open(self) -> None:
        """Begin to read. Raises `Refusal` (E5052) while engines work on it."""
        version, keeps = await migrating.examine(self._link)
        if not version:
            raise refuse(
                "E5054", f"there is no store in `{self._link.url}`", "check the name of the database"
            )
        migrating.check_readable(self._link.url, version, keeps)
        await self._begin()

    async def _begin(self) -> None:
        ((living,),) = await self._ask("living")
        if living:
            raise working(str(self._link.url))
        await self._link.script(_BEGIN)

    async def records(self, kind: str) -> AsyncIterator[Sequence[Record]]:
        """Yield the records of a kind."""
        yield [cast("Record", tuple(row)) for row in await self._ask(f"moved_{kind}")]

    async def runs(self) -> AsyncIterator[Sequence[MovedRun]]:
        """Yield the runs, oldest first."""
        last = 0
        while page := await self._ask("moved_runs", last, PAGE):
            last = cast("int", page[-1][0])
            yield await self._runs([(cast("str", row[1]), records.standing(row[2])) for row in page])

    async def _runs(self, page: Sequence[tuple[str, Standing]]) -> list[MovedRun]:
        rows: dict[str, list[Row]] = {run: [] for run, _ in page}
        for run, *row in await self._ask("facts", list(rows)):
            rows[cast("str", run)].append(tuple(row))
        return [MovedRun(standing, records.contents(rows[run], run)) for run, standing in page]

    async def _ask(self, statement: str, *parameters: object) -> list[Row]:
        """Run a statement of the transaction; if the session is lost, all is."""
        try:
            return await self._link.once(SQL[statement], *parameters)
        except (Lost, Again) as failure:
            raise unreachable(self._link.url, failure) from None

    async def close(self) -> None:
        """End the session; what was not kept is gone."""
        await self._link.close()


class PostgresTarget(PostgresSource):
    """An empty database, filled in one transaction."""

    async def open(self) -> None:
        """Begin to fill it. Raises `Refusal` (E5051) when there is something in it already."""
        await migrating.migrate(self._link, migrating.known())
        ((filled,),) = await self._ask("filled")
        if filled:
            raise refuse(
                "E5051",
                f"there is a store in `{self._link.url}` already, so nothing can be copied to it",
                "name an empty place: another state folder, or another database",
            )
        await self._begin()

    async def put(self, kind: str, records: Sequence[Record]) -> None:
        """Add records of a kind."""
        rows: Sequence[tuple[object, ...]] = records
        if kind == "listeners":
            # Who listens is known where his run lies.
            ((shards,),) = await self._ask("shards")
            rows = [(*row, _shard(str(row[0]), cast("int", shards))) for row in records]
        await self._ask(f"load_{kind}", *_columns(rows))

    async def put_runs(self, runs: Sequence[MovedRun]) -> None:
        """Add runs."""
        ((shards,),) = await self._ask("shards")
        await self._ask("load_runs", *_columns([_row(run.standing, cast("int", shards)) for run in runs]))
        appends = [row for run in runs for row in _appends(run)]
        if appends:
            await self._ask("load_journal", *_columns(appends))

    async def keep(self) -> None:
        """Commit."""
        await self._link.script("commit")


def _shard(run: str, shards: int) -> int:
    return crc32(run.encode()) % shards


def _row(where: Standing, shards: int) -> tuple[object, ...]:
    shown = (where.title.name, where.shown_phase(), where.created_at, where.wake_at)
    return (where.id, _shard(where.id, shards), *shown, records.stored(where))


def _appends(run: MovedRun) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for first in range(0, len(run.facts), TOGETHER):
        some = run.facts[first : first + TOGETHER]
        content = records.joined(some)
        found.append((run.standing.id, first, len(some), records.checksum(content), content))
    return found


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def working(where: str) -> Exception:
    """Return the refusal (E5052) of a store that an engine works on."""
    return refuse(
        "E5052",
        f"an engine works on `{where}`, so it changes while it would be copied",
        "end the engines first: `dirigent serve` ends in order at SIGTERM",
    )
