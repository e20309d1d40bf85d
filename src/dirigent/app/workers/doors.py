"""The doors of engines in one state folder: several engines on a database may have one each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from dirigent.app.workers.posting import PATIENCE_SECONDS, Post, worker_at
from dirigent.model.problem import Refusal
from dirigent.service import door
from dirigent.settings import Settings
from dirigent.stores.lock import EngineLock

LOOK_SECONDS: Final = 0.2


def own_door(stack: AsyncExitStack, settings: Settings) -> str:
    """Return the path of the door of this process: `database.sock`, or where that is taken its own.

    Empty where there can be none: a state folder that nobody may make or write.
    """
    try:
        lock = EngineLock.try_take(settings.lock)
    except Refusal:
        return ""  # Nobody can write there, so no worker will come; all else can be done.
    if lock is None:
        return f"{settings.socket.removesuffix('.sock')}-{os.getpid()}.sock"
    stack.enter_context(lock)
    return settings.socket


def doors(settings: Settings) -> list[str]:
    """Return the doors of a state folder behind which an engine stands."""
    found = sorted(str(path) for path in Path(settings.state).glob("database*.sock"))
    return [path for path in found if door.answers(path)]


async def work_for_all(settings: Settings, post: Post, told: Callable[[str], None]) -> None:
    """Work for every engine of a state folder, with as many processes for each, until it is cancelled.

    Returns when there was none for as long as its patience lasts.
    """
    loop = asyncio.get_running_loop()
    working: dict[str, asyncio.Task[None]] = {}
    alone = loop.time()
    try:
        while True:
            for path in set(doors(settings)) - working.keys():
                # Behind a door with a number nobody comes again.
                patience = None if path == settings.socket else PATIENCE_SECONDS
                own = replace(post, door=path, patience_seconds=patience)
                working[path] = asyncio.ensure_future(worker_at(own, told).work())
            for path in [path for path, task in working.items() if task.done()]:
                working.pop(path).result()
            if doors(settings):
                alone = loop.time()
            elif post.patience_seconds is not None and loop.time() > alone + post.patience_seconds:
                return
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        for task in working.values():
            task.cancel()
        if working:
            await asyncio.wait(working.values())
