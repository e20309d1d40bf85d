"""The work of `serve`: an engine that lives until it is told to end."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Final, TypeAlias

from dirigent.app import conducting
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note
from dirigent.cli.session import around
from dirigent.cli.waiting import wait_for
from dirigent.model.problem import refuse
from dirigent.ports import Conductor

LOOK_SECONDS: Final = 0.2
LAST_PORT: Final = 65_535

Receive: TypeAlias = "Callable[[Conductor, str, int, str], AbstractAsyncContextManager[str]]"


def serve(options: Options) -> int:
    """Run an engine until SIGTERM or Ctrl-C; both end it in order."""
    where = address(options.text("events")) if options.text("events") else None
    return wait_for(_serve(around(options), where, options.text("token")))


def address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, of `:PORT` or of a port alone, which are of this machine."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > LAST_PORT:
        raise refuse("E7063", f"`{text}` is no address", "write `--events 127.0.0.1:8080`, or a port alone")
    return host.strip("[]") or "127.0.0.1", int(port)


async def _serve(surrounding: Surrounding, events: tuple[str, int] | None, token: str) -> int:
    where = surrounding.settings.database or surrounding.settings.state
    async with conducting.conducting(surrounding, serve=True) as desk:
        crew = desk.crew
        if crew is None:
            raise refuse(
                "E7021",
                f"another process is the engine of `{where}` already",
                "end it first, or let both work on one database: `--store postgresql://...`",
            )
        note(f"serving {where}")
        async with AsyncExitStack() as stack:
            if events is not None:
                opened: Receive = importlib.import_module("dirigent.app.outside.events").receiving
                url = await stack.enter_async_context(opened(desk.conductor, *events, token))
                note(f"taking events in at {url}")
            with suppress(asyncio.CancelledError):
                while True:
                    crew.check()
                    await asyncio.sleep(LOOK_SECONDS)
        note("ending: what is under way may end, nothing new begins")
    note("ended")
    return Exit.DONE
