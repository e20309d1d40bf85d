"""Copy a whole store: from a state folder or a database to an empty one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

from dirigent.app.databases import large
from dirigent.app.databases.driver import room
from dirigent.model.problem import refuse
from dirigent.settings import DatabaseUrl, Settings, is_database
from dirigent.stores import files, moving
from dirigent.stores.lock import EngineLock, holder
from dirigent.stores.moving import Source, Sum, Target
from dirigent.stores.sqlite.moving import SqliteSource, SqliteTarget


class Opened(Target, Protocol):
    """A database that is read or filled."""

    async def open(self) -> None:
        """Begin."""
        ...

    async def close(self) -> None:
        """End."""
        ...


async def copy(source: str, target: str) -> Sum:
    """Copy a store; return what was copied.

    Raises:
        Refusal: E5051 a target that is not empty, E5052 an engine that works on one of them, E5053 a
            copy that differs, E5054 no store at the source, E5070 and E5071 a large value that is missing
            or damaged, and what opening a store raises.
    """
    async with AsyncExitStack() as stack:
        there = await _source(stack, source)
        goal = await _target(stack, target)
        await asyncio.to_thread(large.carry, _settings(source), _settings(target))
        return await moving.copied(there, goal)


async def _source(stack: AsyncExitStack, place: str) -> Source:
    if is_database(place):
        return await _database(stack, place, "PostgresSource")
    settings = _settings(place)
    if not files.there(settings.store):
        raise refuse("E5054", f"there is no store in `{place}`", "name a state folder, such as `.dirigent`")
    _seize(stack, settings)
    found = SqliteSource(settings.store)
    stack.callback(found.close)
    return found


async def _target(stack: AsyncExitStack, place: str) -> Target:
    if is_database(place):
        return await _database(stack, place, "PostgresTarget")
    settings = _settings(place)
    _seize(stack, settings)
    made = SqliteTarget(settings.store)
    stack.callback(made.close)
    return made


async def _database(stack: AsyncExitStack, place: str, kind: str) -> Opened:
    opened: Opened = getattr(room("dirigent.stores.postgres.moving"), kind)(DatabaseUrl.parse(place))
    stack.push_async_callback(opened.close)
    await opened.open()
    return opened


def _settings(place: str) -> Settings:
    if is_database(place):
        return Settings(Path.cwd(), DatabaseUrl.parse(place))
    return Settings(Path(place).absolute())


def _seize(stack: AsyncExitStack, settings: Settings) -> None:
    """Keep engines away from a state folder, or refuse (E5052) when one works there."""
    lock = EngineLock.try_take(settings.lock)
    if lock is None:
        raise refuse(
            "E5052",
            f"an engine works on `{settings.state}`, so it changes while it would be copied:"
            f" {holder(settings.lock)}",
            "end that process first",
        )
    stack.enter_context(lock)
