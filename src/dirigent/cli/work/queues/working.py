"""The work of `worker`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from dirigent.app.workers.doors import work_for_all
from dirigent.app.workers.posting import Post, worker_at
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note
from dirigent.cli.place import place
from dirigent.cli.waiting import wait_for
from dirigent.model.problem import refuse

_SOCKETS = "unix:"


def worker(options: Options) -> int:
    """Take steps from the engine, and do them in processes of its own, until it is stopped."""
    where = place(options)
    folder = Path(options.text("directory") or ".")
    if not folder.is_dir():
        raise refuse("E7050", f"there is no folder `{folder}` with steps", "name it with `-C FOLDER`")
    post = Post(
        folder,
        _door(options.text("connect")) or where.settings.socket,
        options.many("queue"),
        int(options.number("concurrency") or os.cpu_count() or 1),
        options.number("patience"),
    )
    told: Callable[[str], None] = (lambda _: None) if options.flag("quiet") else note
    several = where.settings.database is not None and not options.text("connect")
    work = work_for_all(where.settings, post, told) if several else worker_at(post, told).work()
    return wait_for(_work(work))


async def _work(working: Awaitable[None]) -> int:
    with suppress(asyncio.CancelledError):  # To be stopped is how a worker ends.
        await working
    return Exit.DONE


def _door(given: str) -> str:
    """Return the path of the socket that was named. Raises `Refusal` (E7051) for what is no socket."""
    path = given.removeprefix(_SOCKETS)
    if "://" in path:
        raise refuse(
            "E7051",
            f"a worker cannot reach an engine at `{given}`",
            "name the engine's socket: `engine.sock` in its state directory, or `unix:PATH`",
            "for an engine on another machine, forward its socket, as with `ssh -L`",
        )
    return path
