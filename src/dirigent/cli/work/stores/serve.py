"""The work of `serve`: an engine that lives until it is told to end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from dirigent.app import conducting
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.options import Options
from dirigent.cli.output import note
from dirigent.cli.session import around
from dirigent.cli.waiting import wait_for
from dirigent.model.problem import refuse

LOOK_SECONDS: Final = 0.2


def serve(options: Options) -> int:
    """Run an engine until SIGTERM or Ctrl-C; both end it in order."""
    return wait_for(_serve(around(options)))


async def _serve(surrounding: Surrounding) -> int:
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
        with suppress(asyncio.CancelledError):
            while True:
                crew.check()
                await asyncio.sleep(LOOK_SECONDS)
        note("ending: what is under way may end, nothing new begins")
    note("ended")
    return Exit.DONE
